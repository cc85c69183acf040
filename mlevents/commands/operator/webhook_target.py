"""Where events are delivered: the webhook of an app's functions, and the app's API beside it."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import typer

from mlevents.commands.command import EXIT_PROBLEMS, RULES, exit_with_error, read_settings
from mlevents.commands.operator.app_options import AppName, AppOptions, Subscription
from mlevents.commands.running_sandbox import READY_FILE, ReadyFileOption, find_ready_file, is_listening
from mlevents.errors import ActionError, ConfigError
from mlevents.services.app_client import AppClient

WEBHOOK_KEY_SETTING = "MLEVENTS_KEY"
"""The setting of the key for the webhook, as for `send`."""

WebhookUrl = Annotated[
    str,
    typer.Option(
        "--url",
        "--to",
        metavar="URL",
        show_default=False,
        help="A Functions host, such as http://localhost:7071; or its webhook, with functionName.",
    ),
]


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """An app that takes events: `webhook` is its host or its webhook, `key` the one for that."""

    app: AppClient
    webhook: str
    key: str


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """The options that choose an app; without one of them, the sandbox that runs here."""

    url: WebhookUrl = ""
    app: AppName = ""
    subscription: Subscription = ""
    ready_file: ReadyFileOption = None

    @property
    def is_chosen(self) -> bool:
        """Whether an app is named, or a ready file of a sandbox is here."""
        return bool(self.url or self.app or self.ready_file or find_ready_file(READY_FILE.cwd()))

    def open(self) -> OpenTarget:
        """The app; exits if it cannot be found, or does not listen on this machine."""
        app = self.options.open()
        place = urlsplit(app.access.url)
        if app.access.is_local and not is_listening(place.hostname or "", place.port or 80):
            exit_with_error(f"nothing listens at {app.access.url}: start the app", EXIT_PROBLEMS)
        return OpenTarget(app, self.url or app.access.url, self.find_key())

    @property
    def options(self) -> AppOptions:
        """The options of the app's API."""
        parts = urlsplit(self.url)
        root = f"{parts.scheme}://{parts.netloc}" if parts.netloc else self.url
        return AppOptions(root, self.app, self.subscription, self.ready_file)

    def find_key(self) -> str:
        """The key for the webhook: of the settings, or of a deployed app; empty where none is known."""
        settings = read_settings(RULES)
        if known := settings.values.get(WEBHOOK_KEY_SETTING, "").strip():
            return known
        if not self.app:
            return ""
        from mlevents.services.arm_client import ArmClient
        from mlevents.services.function_app import FunctionAppReader

        try:
            reader = FunctionAppReader(ArmClient(settings.resource_manager), self.subscription)
            return reader.read_webhook_key(self.app)
        except ConfigError as error:
            exit_with_error(str(error))
        except ActionError as error:
            exit_with_error(str(error), EXIT_PROBLEMS)
