"""Which app a command operates: the sandbox, an address, or a deployed app by its name in Azure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from mlevents.commands.command import (
    EXIT_PROBLEMS,
    RULES,
    check_address,
    describe_connection_error,
    exit_with_error,
    read_settings,
)
from mlevents.commands.running_sandbox import ReadyFileOption, find_sandbox
from mlevents.errors import ActionError, ConfigError
from mlevents.services.app_client import AppAccess, AppClient, AppRefusedError, NoAnswerError
from mlevents.settings import Settings

KEY_SETTING = "MLEVENTS_APP_KEY"

Url = Annotated[
    str,
    typer.Option(
        "--url",
        "--to",
        metavar="URL",
        show_default=False,
        help="The app's address, such as http://localhost:7071.",
    ),
]
AppName = Annotated[
    str, typer.Option(metavar="NAME", show_default=False, help="A deployed app, which is found in Azure.")
]
Subscription = Annotated[
    str,
    typer.Option(
        metavar="ID", envvar="AZURE_SUBSCRIPTION_ID", show_default=False, help="Where --app is searched."
    ),
]


@dataclass(frozen=True, slots=True)
class AppOptions:
    """The options that choose an app; without one of them, the sandbox that runs here."""

    url: Url = ""
    app: AppName = ""
    subscription: Subscription = ""
    ready_file: ReadyFileOption = None

    def open(self, key: str = "", failure: int = EXIT_PROBLEMS, former_setting: str = "") -> AppClient:
        """A client of the app; exits if it cannot be found, or if Azure refuses to say where it is.

        `key` is the function key, else that of the settings; `failure` the exit code when Azure refuses.
        `former_setting` is read for an address where no other key is set.
        """
        if sum(map(bool, (self.url, self.app, self.ready_file))) > 1:
            exit_with_error("the app is named more than once: use one of --url, --app and --ready-file")
        try:
            return AppClient(self._find_access(key, former_setting))
        except ConfigError as error:
            exit_with_error(str(error))
        except ActionError as error:
            exit_with_error(str(error), failure)

    def find_ready(self) -> dict[str, Any] | None:
        """The ready file of the sandbox that is operated; None for another app."""
        return None if self.url or self.app else find_sandbox(self.ready_file)

    def _find_access(self, given: str, former_setting: str) -> AppAccess:
        """Where the app is, with its key; raises ConfigError or ActionError."""
        if ready := self.find_ready():
            return AppAccess(str(ready["functions"]), ready.get("function_key") or "", is_sandbox=True)
        settings = read_settings(RULES)
        key = given or settings.values.get(KEY_SETTING, "").strip()
        if self.url:
            check_address(self.url)
            return AppAccess(self.url, key or settings.values.get(former_setting, "").strip())
        return self._find_in_azure(settings, key)

    def _find_in_azure(self, settings: Settings, key: str) -> AppAccess:
        from mlevents.services.arm_client import ArmClient
        from mlevents.services.function_app import FunctionAppReader

        if not self.subscription:
            raise ConfigError("the subscription of --app is unknown: name it with --subscription")
        reader = FunctionAppReader(ArmClient(settings.resource_manager), self.subscription)
        return reader.open(self.app, key)


@contextmanager
def exit_when_refused(code: int = EXIT_PROBLEMS) -> Iterator[None]:
    """Exit with the reason and this code where the app does not answer, or refuses what it is asked."""
    try:
        yield
    except AppRefusedError as error:
        exit_with_error(str(error), code)
    except NoAnswerError as error:
        reason = describe_connection_error(error.__cause__ or error)  # type: ignore[arg-type]
        exit_with_error(f"the app at {error} does not answer: {reason}", code)
