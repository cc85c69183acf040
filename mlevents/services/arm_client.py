"""Requests to Azure Resource Manager: azure-core's pipeline with the app's identity.

For what the SDKs have no public method for, or would take a second to import: the packages azure-mgmt-* would
travel with every deployment for a few requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mlevents.services.answer_fields import require_list, require_object
from mlevents.services.azure_credential import CLIENT_OPTIONS, credential
from mlevents.services.lazy_import import import_lock
from mlevents.services.paging import next_page

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.rest import HttpResponse


class ArmClient:
    """Resource Manager at one address. Call its methods within `sdk_errors.translate_errors`.

    A method that returns JSON raises azure-core's ResourceNotFoundError for 404, HttpResponseError for any
    other status from 300 on, and ValueError for an answer of another shape. `path` begins with a slash.
    `audience` is what its tokens are made for, where that is another address.
    """

    def __init__(self, address: str, audience: str = "") -> None:
        self.address = address
        self._audience = audience or address

    def open(self) -> None:
        """Import the SDK and make the pipeline, without a request, so that the first one need not wait."""
        _pipeline(self._audience)

    def send(self, method: str, url: str, **content: Any) -> HttpResponse:
        """Send one request and return the answer, whatever its status."""
        with import_lock():
            from azure.core.rest import HttpRequest

        response: HttpResponse = _pipeline(self._audience).send_request(HttpRequest(method, url, **content))
        return response

    def request(self, method: str, path: str, version: str, body: Any = None) -> HttpResponse:
        """Send one request in an api-version; raises for a status that is not a success."""
        content = {} if body is None else {"json": body}
        return check_status(self.send(method, f"{self.address}{path}?api-version={version}", **content))

    def get(self, url: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Read the JSON object at a URL."""
        response = check_status(self.send("GET", url, params=dict(query or {})))
        return require_object(response.json(), "the answer")

    def find(self, path: str, version: str) -> dict[str, Any] | None:
        """Read a resource; None when Azure answers 404."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        try:
            return dict(self.get(f"{self.address}{path}", {"api-version": version}))
        except ResourceNotFoundError:
            return None

    def post(self, path: str, version: str, body: Any = None) -> Mapping[str, Any]:
        """Call an action of a resource, and return the JSON object that it answers."""
        return require_object(self.request("POST", path, version, body).json(), "the answer")

    def put(self, path: str, version: str, body: Any) -> HttpResponse:
        """Write a resource; raises ValueError for an answer without it, which a proxy may have sent."""
        response = self.request("PUT", path, version, body)
        require_object(response.json(), "the answer")
        return response

    def list(self, path: str, version: str) -> Iterator[Mapping[str, Any]]:
        """Read every resource of a list, page by page."""
        url: str | None = f"{self.address}{path}?api-version={version}"
        while url:
            page = self.get(url)
            yield from (
                require_object(one, "an element of the list")
                for one in require_list(page.get("value"), "value")
            )
            url = next_page(url, page.get("nextLink"))


def check_status(response: HttpResponse) -> HttpResponse:
    """Raise for a status that is not a success; redirects are not followed, so that no token goes astray."""
    with import_lock():
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    if response.status_code == HTTPStatus.NOT_FOUND:
        raise ResourceNotFoundError(response=response)
    if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        raise HttpResponseError(response=response)
    return response


@cache
def _pipeline(audience: str) -> PipelineClient[Any, Any]:
    with import_lock():
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import DistributedTracingPolicy, RequestIdPolicy, UserAgentPolicy
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

    policies = [
        RequestIdPolicy(),
        UserAgentPolicy("mlevents"),
        ARMChallengeAuthenticationPolicy(credential(), f"{audience}/.default"),
        DistributedTracingPolicy(),
    ]
    return PipelineClient(audience, policies=policies, **CLIENT_OPTIONS)
