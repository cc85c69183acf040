"""The way from an action to the services that it calls, opened when first used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mlevents.errors import PermanentError
from mlevents.registry import UnknownNameError
from mlevents.services.connection import Connection, SettingName, connection
from mlevents.settings import Settings

if TYPE_CHECKING:
    from mlevents.services.machine_learning import MachineLearning


class Services:
    """What one response may reach: its workspace, its rule file's connections and files.

    `connections` are those of the rule file as written, with their `type`; `{setting: NAME}` is
    resolved here and no earlier, so that no secret is stored with a response.
    """

    def __init__(
        self, settings: Settings, connections: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.settings = settings
        self._connections = connections or {}

    def machine_learning(self, workspace_id: str) -> MachineLearning:
        """The Azure ML workspace with this ARM id; raises PermanentError for another id."""
        from mlevents.services.machine_learning import open_workspace

        return open_workspace(workspace_id, self.settings.resource_manager)

    def connection(self, name: str) -> Connection:
        """The connection of this name; raises PermanentError when there is none that can be used.

        What stands in it is not quoted: somebody may have written a secret there.
        """
        if name not in self._connections:
            raise PermanentError(f"no connection is named '{name}' in the rule file")
        fields = dict(self._connections[name])
        try:
            return connection.find(fields.pop("type")).model_validate(fields)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise PermanentError(f"the connection '{name}' cannot be used: {faults}") from None
        except UnknownNameError as error:
            raise PermanentError(f"the connection '{name}' cannot be used: {error}") from error

    def text(self, value: str | SettingName) -> str:
        """The text itself, or the app setting that holds it; raises ConfigError if it is not set."""
        return value if isinstance(value, str) else self.settings.value(value.setting)

    def read(self, name: str) -> str:
        """The text of a file beside the rule file; raises PermanentError, also for one outside."""
        folder = self.settings.rules.parent.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise PermanentError(f"'{name}' leads out of the rule file's folder: keep files inside it")
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PermanentError(f"the file '{name}' beside the rule file cannot be read: {error}") from error
