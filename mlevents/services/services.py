"""The services that an action calls, opened at their first use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mlevents.errors import PermanentError
from mlevents.registry import UnknownNameError
from mlevents.services import waiting
from mlevents.services.connection import Connection, SettingName, connection, find_setting_names
from mlevents.services.own_secrets import remember_secrets
from mlevents.settings import Settings

if TYPE_CHECKING:
    from mlevents.services.machine_learning.workspace_client import MachineLearning
    from mlevents.services.resource_manager import ResourceManager
    from mlevents.services.scoring import ScoringAnswer, ScoringTarget


class Services:
    """The services for one response: its workspace, and the connections and files of its rule file.

    `connections` are those of the rule file as written, with their `type`; `{setting: NAME}` is resolved only
    here, so that no secret is stored with a response. `files` are the texts of the files that the steps name,
    so that a redeploy does not change a running response.
    """

    def __init__(
        self,
        settings: Settings,
        connections: Mapping[str, Mapping[str, Any]] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        remember_secrets(settings.environment, find_setting_names(connections or {}))
        self._connections = connections or {}
        self._files = files or {}

    def machine_learning(self, workspace_id: str) -> MachineLearning:
        """The Azure ML workspace with this ARM id; raises PermanentError for an invalid id."""
        from mlevents.services.machine_learning.workspace_client import open_workspace

        return open_workspace(workspace_id, self.settings.resource_manager)

    def resource_manager(self) -> ResourceManager:
        """Azure Resource Manager, for reads that no other service here covers."""
        from mlevents.services.resource_manager import open_resource_manager

        return open_resource_manager(self.settings.resource_manager)

    def score(self, place: ScoringTarget, request: Any) -> ScoringAnswer:
        """Send a request to exactly one deployment of an endpoint."""
        from mlevents.services.scoring import score_deployment

        return score_deployment(place, request)

    def connection(self, name: str) -> Connection:
        """The connection of this name; raises PermanentError when it is missing or invalid.

        Its values are not quoted: they may hold a secret.
        """
        if name not in self._connections:
            raise PermanentError(f"the rule file has no connection '{name}': add it under 'connections'")
        fields = dict(self._connections[name])
        try:
            return connection.find(fields.pop("type")).model_validate(fields)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise PermanentError(f"the connection '{name}' is invalid: {faults}") from None
        except UnknownNameError as error:
            raise PermanentError(f"the connection '{name}' is invalid: {error}") from error

    def list_connections(self) -> Iterator[Connection]:
        """The connections that are valid."""
        for name in self._connections:
            with suppress(PermanentError):
                yield self.connection(name)

    def text(self, value: str | SettingName) -> str:
        """The text, or the value of its app setting; raises ConfigError for a setting that is not set."""
        return value if isinstance(value, str) else self.settings.value(value.setting)

    def pause(self, seconds: float) -> None:
        """Wait within an attempt."""
        waiting.wait(seconds)

    def read(self, name: str) -> str:
        """The text of a file next to the rule file, as it was when the event arrived.

        Raises PermanentError for a file that is not stored with the response.
        """
        if name not in self._files:
            raise PermanentError(f"the file '{name}' is not stored with this response: name it in a step")
        return self._files[name]
