"""The workspace's data plane: what Resource Manager does not serve, such as the history of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mlevents.services.answer_fields import require_object
from mlevents.services.azure_credential import CLIENT_OPTIONS
from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.resource_ids import Workspace

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential


class DataPlane:
    """Requests to one workspace's data plane. Call its methods within `sdk_errors.translate_errors`.

    `discover` gives the URL where the workspace says the addresses of its data plane.
    """

    def __init__(
        self, workspace: Workspace, discover: Callable[[], str], credential: TokenCredential, scope: str
    ) -> None:
        self.workspace = workspace
        self._discover = discover
        self._credential = credential
        self._scope = scope

    @cached_property
    def address(self) -> str:
        """Where it answers, as the workspace's discovery says; without a slash at the end."""
        found = self.ask("GET", self._discover()).get("api")
        if not isinstance(found, str) or not found.startswith("https://"):
            raise ValueError("the workspace's discovery names no front end")
        return found.rstrip("/")

    @cached_property
    def _http(self) -> PipelineClient[Any, Any]:
        with import_lock():
            from azure.core import PipelineClient
            from azure.core.pipeline.policies import BearerTokenCredentialPolicy

        policies = [BearerTokenCredentialPolicy(self._credential, self._scope)]
        return PipelineClient("", policies=policies, **CLIENT_OPTIONS)

    def ask(self, method: str, url: str, missing: Any = None, **content: Any) -> Mapping[str, Any]:
        """The JSON object that a request answers; `missing`, unless None, where Azure answers 404."""
        with import_lock():
            from azure.core.rest import HttpRequest

        response = self._http.send_request(HttpRequest(method, url, **content))
        if response.status_code == HTTPStatus.NOT_FOUND and missing is not None:
            return dict(missing)
        response.raise_for_status()
        return require_object(response.json(), "the answer")
