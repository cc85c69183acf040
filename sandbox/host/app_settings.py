"""The app settings that the sandbox gives to the app, as `infra/` does on Azure."""

import json
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlevents.errors import ConfigError
from mlevents.rules.local_settings import read_local_settings
from mlevents.settings import find_default_rules
from sandbox.azure.workspace import SUBSCRIPTION
from sandbox.host.app_environment import app_environment
from sandbox.host.rule_settings import Inboxes, RuleSettings
from sandbox.worker.function import SCRIPT_SETTING
from sandbox.worker.name_resolution import VARIABLE
from sandbox.worker.shorter_waits import SPEED_VARIABLE

IDENTITY_HEADER = "sandbox"
THREADS = "PYTHON_THREADPOOL_THREAD_COUNT"
SPEEDS = (SPEED_VARIABLE, "MLEVENTS_SANDBOX_SPEED")
"""The second is for older checkouts, which divide by it: in them no wait can be replaced from outside."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The app's settings, wherever it is started from; `rules` within `home` moves with the checkout.

    `ports` are those that other hosts are redirected to. `real` names the receivers that are really used.
    `stage` is `Development` as in Core Tools, or `Production` as on Azure; `speed` is how many times faster
    time passes than on Azure.
    """

    ready: Mapping[str, object]
    inboxes: Inboxes
    ports: Mapping[str, int]
    script: str
    home: Path
    rules: Path | None
    env: str = ""
    real: tuple[str, ...] = ()
    stage: str = "Development"
    speed: float = 1.0
    secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def environment(self, folder: Path) -> dict[str, str]:
        """The environment of the app that is started from this folder."""
        present = self.read_present(folder)
        settings = {
            "AZURE_FUNCTIONS_ENVIRONMENT": self.stage,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            SCRIPT_SETTING: self.script,
            "WEBSITE_HOSTNAME": str(self.ready["functions"]).removeprefix("http://"),
            "AzureWebJobsScriptRoot": str(folder.resolve()),
            THREADS: os.environ.get(THREADS, "32"),
            "IDENTITY_ENDPOINT": str(self.ready["identity"]),
            "IDENTITY_HEADER": IDENTITY_HEADER,
            "REQUESTS_CA_BUNDLE": str(self.ready["ca"]),
            "SSL_CERT_FILE": str(self.ready["ca"]),
            "MLEVENTS_ENV": present["MLEVENTS_ENV"],
            "MLEVENTS_SANDBOX_PAGE": "/",
            "MLEVENTS_RESOURCE_MANAGER": str(self.ready["arm"]),
            "MLEVENTS_SECRET": self.secret,
            "MLEVENTS_PRIVATE_HOSTS": "*",  # the inboxes are on this machine
            **self._known_values(present),
            **self.rule_values(folder),
        }
        if not self.real:
            settings[VARIABLE] = json.dumps(dict(self.ports))
        rules = {} if self.rules is None else {"MLEVENTS_RULES": str(self.find_rules(folder))}
        return app_environment(present, settings | rules | dict.fromkeys(SPEEDS, str(self.speed)))

    def rule_values(self, folder: Path) -> dict[str, str]:
        """The value of each setting that the rules name and that the sandbox chooses."""
        chosen = self.rule_settings(folder).choose_values(self.inboxes, self.read_present(folder), self.real)
        known = self._known_values(self.read_present(folder))
        return {name: known.get(name, value) for name, value in chosen.items()}

    def describe(self, folder: Path) -> dict[str, Any]:
        """What the ready file has of them."""
        received = self.rule_settings(folder).received
        return {
            "settings": self.rule_values(folder),
            "inbox_settings": [name for name in received if name not in self.real],
            "rules": str(self.find_rules(folder)),
            "env": self.read_present(folder)["MLEVENTS_ENV"],
        }

    def rule_settings(self, folder: Path) -> RuleSettings:
        """What the rules of the app in this folder name."""
        return RuleSettings.read(self.find_rules(folder), self.read_present(folder))

    def read_present(self, folder: Path) -> dict[str, str]:
        """The settings of this machine: the environment, else `local.settings.json` beside the rules."""
        try:
            values = read_local_settings(self.find_rules(folder))
        except ConfigError as error:
            log.warning("%s", error)
            values = {}
        present = {**values, **os.environ}
        return present | {"MLEVENTS_ENV": self.env or present.get("MLEVENTS_ENV", "")}

    def _known_values(self, present: Mapping[str, str]) -> dict[str, str]:
        """The settings that are always there, so that the shipped rules load unchanged."""
        web = self.inboxes.web
        values = {
            "AZURE_SUBSCRIPTION_ID": present.get("AZURE_SUBSCRIPTION_ID") or SUBSCRIPTION,
            "COMMUNICATION_ENDPOINT": web,
            "MLEVENTS_DEAD_LETTERS": str(self.ready.get("dead_letters", "")),
            "TEAMS_WORKFLOW_URL": f"workflows://{web.removeprefix('https://')}/sandbox/sandbox",
            "SMTP_HOST": self.inboxes.host,
            "SMTP_PORT": str(self.inboxes.mail_port),
        }
        return {name: value for name, value in values.items() if name not in self.real}

    def find_rules(self, folder: Path) -> Path:
        """The rule file or folder of the app in this folder."""
        if self.rules is None:
            return find_default_rules(folder.resolve())
        rules, home = self.rules.resolve(), self.home.resolve()
        return folder.resolve() / rules.relative_to(home) if rules.is_relative_to(home) else rules
