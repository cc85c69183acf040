"""Reads of Azure Resource Manager: the identity, rights, event subscriptions, quotas and metrics."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from mlevents.errors import PermanentError
from mlevents.services.answer_fields import require_object
from mlevents.services.arm_client import ArmClient
from mlevents.services.azure_credential import credential
from mlevents.services.event_subscription import EventSubscription
from mlevents.services.lazy_import import import_lock
from mlevents.services.permission import Grant
from mlevents.services.quota import CpuQuota, is_of_family
from mlevents.services.sdk_errors import TRANSIENT_STATUSES, clean_text, translate_errors

PERMISSIONS_API = "2022-04-01"
EVENT_GRID_API = "2025-02-15"
MACHINE_LEARNING_API = "2024-04-01"
"""The api-versions of the requests."""
CLAIMS = ("upn", "unique_name", "appid", "azp", "oid")
"""Claims of a token that identify its owner, the most helpful first."""
ONLINE = "MIR"
"""The compute type that a VM size must support for online endpoints."""


class ResourceManager:
    """A read returns None where this identity may not read. Raises PermanentError and TransientError."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._arm = ArmClient(address)

    def identity(self) -> str:
        """The identity of the app in Azure, read from its token; raises when there is none."""
        with translate_errors("signing in to Azure"):
            token = credential().get_token(f"{self._address}/.default").token
        claims = _claims(token)
        return next((f"{name} {claims[name]}" for name in CLAIMS if claims.get(name)), "unnamed")

    def permissions(self, scope: str) -> tuple[Grant, ...] | None:
        """What this identity may do on the resource with this ARM id, by all of its roles there."""
        path = f"{scope}/providers/Microsoft.Authorization/permissions"
        found = self._list(path, PERMISSIONS_API, f"reading the permissions on {scope}")
        return None if found is None else tuple(map(Grant.read, found))

    def event_subscriptions(self, source: str) -> tuple[EventSubscription, ...] | None:
        """Every subscription to the resource's events, on the resource itself or on its system topic."""
        what = f"reading the event subscriptions of {source}"
        found = self._list(f"{source}/providers/Microsoft.EventGrid/eventSubscriptions", EVENT_GRID_API, what)
        subscription = "/".join(source.split("/")[:3])
        topics = self._list(
            f"{subscription}/providers/Microsoft.EventGrid/systemTopics", EVENT_GRID_API, what
        )
        if found is None or topics is None:
            return None
        for topic in topics:
            if str(topic["properties"].get("source")).lower() == source.lower():
                more = self._list(f"{topic['id']}/eventSubscriptions", EVENT_GRID_API, what)
                if more is None:
                    return None
                found += more
        return tuple({one.name.lower(): one for one in map(EventSubscription.read, found)}.values())

    def quota(self, workspace_id: str, region: str, size: str) -> CpuQuota | None:
        """The quota for deployments on this VM size; raises for one that online endpoints do not support."""
        subscription = "/".join(workspace_id.split("/")[:3])
        place = f"{subscription}/providers/Microsoft.MachineLearningServices/locations/{region}"
        what = f"reading the quota for {size} in {region}"
        sizes = self._list(f"{place}/vmSizes", MACHINE_LEARNING_API, what)
        usages = self._list(f"{place}/usages", MACHINE_LEARNING_API, what)
        if sizes is None or usages is None:
            return None
        found = next((one for one in sizes if str(one.get("name")).lower() == size.lower()), None)
        if found is None or ONLINE not in (found.get("supportedComputeTypes") or ()):
            raise PermanentError(f"online endpoints do not run on '{size}' in {region}")
        usage = next((one for one in usages if is_of_family(one, str(found["family"]))), None)
        if usage is None:
            return CpuQuota(found["family"], int(found["vCPUs"]), 0, None)
        limit = int(usage["limit"])
        return CpuQuota(
            found["family"], int(found["vCPUs"]), int(usage["currentValue"]), limit if limit >= 0 else None
        )

    def read(self, path: str, query: Mapping[str, str], what: str) -> Mapping[str, Any]:
        """The JSON object at a path; `what` describes the request in an error."""
        with translate_errors(what):
            return self._arm.get(f"{self._address}{path}", query)

    def refusal(self, method: str, path: str, query: Mapping[str, str], what: str) -> str | None:
        """Azure's message when it refuses the request because a right is missing; None for another answer.

        Another answer is a success, whose body is not read, or a refusal for another reason. Raises
        TransientError, and PermanentError when Azure does not know this identity.
        """
        with translate_errors(what):
            response = self._arm.send(method, f"{self._address}{path}", params=dict(query))
            if response.status_code == HTTPStatus.UNAUTHORIZED or is_transient_status(response.status_code):
                response.raise_for_status()
            if response.status_code != HTTPStatus.FORBIDDEN:
                return None
            error = require_object(response.json(), "the answer").get("error")
        return clean_text(str(error.get("message"))) if isinstance(error, Mapping) else "403 Forbidden"

    def _list(self, path: str, version: str, what: str) -> list[Mapping[str, Any]] | None:
        """Every element of a list; None where this identity may not read it."""
        with import_lock():
            from azure.core.exceptions import HttpResponseError

        with translate_errors(what):
            try:
                return list(self._arm.list(path, version))
            except HttpResponseError as error:
                if error.status_code != HTTPStatus.FORBIDDEN:
                    raise
                return None


@cache
def open_resource_manager(address: str) -> ResourceManager:
    """Resource Manager at this address."""
    return ResourceManager(address)


def is_transient_status(status: int) -> bool:
    """Whether a later attempt may get another answer; 409 is an answer to the question itself."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in TRANSIENT_STATUSES - {HTTPStatus.CONFLICT}


def _claims(token: str) -> Mapping[str, Any]:
    """The claims of a token, unverified; empty for a token that cannot be read."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
