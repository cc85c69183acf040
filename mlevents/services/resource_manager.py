"""Azure Resource Manager, read directly where the SDKs of our services have no method.

azure-core's own pipeline with the app's credential: a few reads are no reason for azure-mgmt-authorization,
azure-mgmt-eventgrid and azure-mgmt-monitor, which would travel with every deployment.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mlevents.errors import PermanentError, TransientError
from mlevents.services.azure_credential import PATIENCE, credential
from mlevents.services.event_subscription import EventSubscription
from mlevents.services.lazy_import import importing
from mlevents.services.paging import next_page
from mlevents.services.permission import Grant
from mlevents.services.quota import Quota, is_of_family
from mlevents.services.sdk_errors import TRANSIENT_STATUSES, clean, translated

if TYPE_CHECKING:
    from azure.core import PipelineClient

PERMISSIONS = "2022-04-01"
EVENT_GRID = "2025-02-15"
MACHINE_LEARNING = "2024-04-01"
"""The api-versions that are spoken."""
CLAIMS = ("upn", "unique_name", "appid", "azp", "oid")
"""Members of a token that say who it is for, the most telling first."""
ONLINE = "MIR"
"""What a VM size that online endpoints can run on supports."""


class ResourceManager:
    """Reads that answer None where we may not read; raises PermanentError and TransientError."""

    def __init__(self, address: str) -> None:
        self._address = address

    def identity(self) -> str:
        """Who we are in Azure, as our own token says; raises where there is no identity at all."""
        with translated("signing in to Azure"):
            token = credential().get_token(f"{self._address}/.default").token
        claims = _claims(token)
        return next((f"{name} {claims[name]}" for name in CLAIMS if claims.get(name)), "unnamed")

    def permissions(self, scope: str) -> tuple[Grant, ...] | None:
        """What we are allowed on the resource with this ARM id, by every role that reaches it."""
        path = f"{scope}/providers/Microsoft.Authorization/permissions"
        found = self._list(path, PERMISSIONS, f"reading the permissions on {scope}")
        return None if found is None else tuple(map(Grant.read, found))

    def event_subscriptions(self, source: str) -> tuple[EventSubscription, ...] | None:
        """Every subscription to the resource's events, whether made on it or on its system topic."""
        what = f"reading the event subscriptions of {source}"
        found = self._list(f"{source}/providers/Microsoft.EventGrid/eventSubscriptions", EVENT_GRID, what)
        subscription = "/".join(source.split("/")[:3])
        topics = self._list(f"{subscription}/providers/Microsoft.EventGrid/systemTopics", EVENT_GRID, what)
        if found is None or topics is None:
            return None
        for topic in topics:
            if str(topic["properties"].get("source")).lower() == source.lower():
                more = self._list(f"{topic['id']}/eventSubscriptions", EVENT_GRID, what)
                if more is None:
                    return None
                found += more
        return tuple({one.name.lower(): one for one in map(EventSubscription.read, found)}.values())

    def quota(self, workspace_id: str, region: str, size: str) -> Quota | None:
        """The quota that deployments on this size of VM share; raises for a size they cannot run on."""
        subscription = "/".join(workspace_id.split("/")[:3])
        place = f"{subscription}/providers/Microsoft.MachineLearningServices/locations/{region}"
        what = f"reading the quota for {size} in {region}"
        sizes = self._list(f"{place}/vmSizes", MACHINE_LEARNING, what)
        usages = self._list(f"{place}/usages", MACHINE_LEARNING, what)
        if sizes is None or usages is None:
            return None
        found = next((one for one in sizes if str(one.get("name")).lower() == size.lower()), None)
        if found is None or ONLINE not in (found.get("supportedComputeTypes") or ()):
            raise PermanentError(f"online endpoints do not run on '{size}' in {region}")
        usage = next((one for one in usages if is_of_family(one, str(found["family"]))), None)
        if usage is None:
            return Quota(found["family"], int(found["vCPUs"]), 0, None)
        limit = int(usage["limit"])
        return Quota(
            found["family"], int(found["vCPUs"]), int(usage["currentValue"]), limit if limit >= 0 else None
        )

    def read(self, path: str, query: Mapping[str, str], what: str) -> Mapping[str, Any]:
        """The JSON object at a path; raises PermanentError and TransientError, `what` says what was tried."""
        with translated(what):
            response = self._ask("GET", f"{self._address}{path}", params=dict(query))
            response.raise_for_status()
            return _object(response, what)

    def refusal(self, method: str, path: str, query: Mapping[str, str], what: str) -> str | None:
        """Azure's words where it refuses the request for want of rights; None for any other answer.

        That may be a success, whose body is not read, or a refusal for another reason. Raises TransientError,
        and PermanentError where we are not known at all.
        """
        with translated(what):
            response = self._ask(method, f"{self._address}{path}", params=dict(query))
            if response.status_code == HTTPStatus.UNAUTHORIZED or is_transient(response.status_code):
                response.raise_for_status()
        if response.status_code != HTTPStatus.FORBIDDEN:
            return None
        told = _object(response, what).get("error")
        return clean(str(told.get("message"))) if isinstance(told, Mapping) else "403 Forbidden"

    def _list(self, path: str, version: str, what: str) -> list[Mapping[str, Any]] | None:
        """Every page of a list; None where it may not be read."""
        with translated(what):
            pages = list(self._pages(f"{self._address}{path}?api-version={version}", what))
        return None if None in pages else [one for page in pages if page for one in page]

    def _pages(self, url: str | None, what: str) -> Iterator[list[Mapping[str, Any]] | None]:
        while url:
            response = self._ask("GET", url)
            if response.status_code == HTTPStatus.FORBIDDEN:
                yield None
                return
            response.raise_for_status()
            page = _object(response, what)
            yield page.get("value") or []
            url = next_page(url, page.get("nextLink"))

    def _ask(self, method: str, url: str, **content: Any) -> Any:
        with importing():
            from azure.core.rest import HttpRequest

        return _http(self._address).send_request(HttpRequest(method, url, **content))


@cache
def open_manager(address: str) -> ResourceManager:
    """Resource Manager at this address."""
    return ResourceManager(address)


@cache
def _http(address: str) -> PipelineClient[Any, Any]:
    with importing():
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy

    policies = [BearerTokenCredentialPolicy(credential(), f"{address}/.default")]
    return PipelineClient(address, policies=policies, **PATIENCE)


def is_transient(status: int) -> bool:
    """Whether the same request may be answered otherwise later; 409 answers what was asked."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in TRANSIENT_STATUSES - {HTTPStatus.CONFLICT}


def _object(response: Any, what: str) -> Mapping[str, Any]:
    """The answer's JSON object; what else a server answers with 200 may be another the next time."""
    try:
        found = response.json()
    except ValueError as error:
        raise TransientError(f"{what}: the answer is not JSON: {error}") from error
    if not isinstance(found, Mapping):
        raise TransientError(f"{what}: the answer is not a JSON object but a {type(found).__name__}")
    return found


def _claims(token: str) -> Mapping[str, Any]:
    """What a token says, unchecked; nothing for one that says nothing."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
