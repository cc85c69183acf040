"""The app settings that the sandbox gives to the app, as `infra/` does on Azure."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.azure.workspace import SUBSCRIPTION
from sandbox.host.app_environment import app_environment
from sandbox.listener import HOST
from sandbox.worker.function import SCRIPT_SETTING

IDENTITY_HEADER = "sandbox"
THREADS = "PYTHON_THREADPOOL_THREAD_COUNT"


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The app's settings, wherever it is started from; `rules` within `home` moves with the checkout."""

    ready: Mapping[str, str]
    outside: str
    mail_port: int
    script: str
    home: Path
    rules: Path | None
    env: str = ""
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def environment(self, folder: Path) -> dict[str, str]:
        """The environment of the app that is started from this folder."""
        settings = {
            "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
            "FUNCTIONS_WORKER_RUNTIME": "python",
            SCRIPT_SETTING: self.script,
            "WEBSITE_HOSTNAME": self.ready["functions"].removeprefix("http://"),
            "AzureWebJobsScriptRoot": str(folder.resolve()),
            THREADS: os.environ.get(THREADS, "32"),
            "IDENTITY_ENDPOINT": self.ready["identity"],
            "IDENTITY_HEADER": IDENTITY_HEADER,
            "REQUESTS_CA_BUNDLE": self.ready["ca"],
            "SSL_CERT_FILE": self.ready["ca"],
            "MLEVENTS_ENV": self.env or os.environ.get("MLEVENTS_ENV", ""),
            "MLEVENTS_RESOURCE_MANAGER": self.ready["arm"],
            "MLEVENTS_SECRET": self.secret,
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "COMMUNICATION_ENDPOINT": self.outside,
            "TEAMS_WORKFLOW_URL": f"workflows://{self.outside.removeprefix('https://')}/sandbox/sandbox",
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(self.mail_port),
        }
        rules = {} if self.rules is None else {"MLEVENTS_RULES": str(self._rules(folder))}
        return app_environment(os.environ, settings | rules)

    def _rules(self, folder: Path) -> Path:
        rules, home = self.rules.resolve() if self.rules else Path(), self.home.resolve()
        return folder.resolve() / rules.relative_to(home) if rules.is_relative_to(home) else rules
