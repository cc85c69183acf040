"""The way from an action to the services that it calls, opened when first used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mlevents.errors import PermanentError
from mlevents.registry import UnknownNameError
from mlevents.services.connection import Connection, SettingName, connection, find_setting_names
from mlevents.services.own_secrets import remember_secrets
from mlevents.settings import Settings

if TYPE_CHECKING:
    from mlevents.services.machine_learning.workspace_client import MachineLearning
    from mlevents.services.resource_manager import ResourceManager
    from mlevents.services.scoring import ScoringAnswer, ScoringTarget


class Services:
    """What one response may reach: its workspace, its rule file's connections and files.

    `connections` are those of the rule file as written, with their `type`; `{setting: NAME}` is
    resolved here and no earlier, so that no secret is stored with a response. `files` are the texts of
    the files beside the rule file that the steps name, so that a redeploy changes none under way.
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
        """The Azure ML workspace with this ARM id; raises PermanentError for another id."""
        from mlevents.services.machine_learning.workspace_client import open_workspace

        return open_workspace(workspace_id, self.settings.resource_manager)

    def resource_manager(self) -> ResourceManager:
        """Azure Resource Manager, for what no SDK of a service tells."""
        from mlevents.services.resource_manager import open_resource_manager

        return open_resource_manager(self.settings.resource_manager)

    def score(self, place: ScoringTarget, request: Any) -> ScoringAnswer:
        """Ask one deployment of an endpoint, and no other."""
        from mlevents.services.scoring import score_deployment

        return score_deployment(place, request)

    def connection(self, name: str) -> Connection:
        """The connection of this name; raises PermanentError when there is none that can be used.

        What stands in it is not quoted: somebody may have written a secret there.
        """
        if name not in self._connections:
            raise PermanentError(
                f"no connection is named '{name}' in the rule file: add it under 'connections'"
            )
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
        """The text of a file beside the rule file, as it was when the event came.

        Raises PermanentError for one that does not travel with the response.
        """
        if name not in self._files:
            raise PermanentError(f"the file '{name}' does not travel with this response: name it in a step")
        return self._files[name]
