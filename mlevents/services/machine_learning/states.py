"""States of resources in Azure Machine Learning, read from Resource Manager's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

KEY = "mlevents.key"
"""The tag or property with the mark that identifies a job as created by mlevents."""
AUTH_MODES = {"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}
"""The authentication modes of an endpoint, as rules and as Azure ML name them."""
STATUS_URL = "AzureAsyncOperationUri"
"""The property of a resource that holds the status URL of its last operation."""

READ_ONLY = frozenset({"id", "name", "type", "systemData"})
READ_ONLY_PROPERTIES = frozenset({"provisioningState", "scoringUri", "swaggerUri"})
READ_ONLY_IDENTITY = frozenset({"principalId", "tenantId"})
"""The fields of an endpoint that only Azure writes."""


@dataclass(frozen=True, slots=True)
class EndpointState:
    """The state of an online endpoint; `operation` is the status URL of its last operation."""

    name: str
    provisioning_state: str
    traffic: Mapping[str, int] = field(default_factory=dict)
    mirror: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    auth_mode: str = ""
    scoring_uri: str = ""
    location: str = ""
    operation: str = ""

    @classmethod
    def read(cls, resource: Mapping[str, Any]) -> Self:
        """From the resource as ARM sends it."""
        properties = resource.get("properties") or {}
        return cls(
            name=resource["name"],
            provisioning_state=properties.get("provisioningState") or "",
            traffic=dict(properties.get("traffic") or {}),
            mirror=dict(properties.get("mirrorTraffic") or {}),
            tags=dict(resource.get("tags") or {}),
            auth_mode=properties.get("authMode") or "",
            scoring_uri=properties.get("scoringUri") or "",
            location=(resource.get("location") or "").replace(" ", "").lower(),
            operation=(properties.get("properties") or {}).get(STATUS_URL) or "",
        )


def writable_endpoint(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint as it can be put again: a copy without what only Azure writes."""
    body: dict[str, Any] = _without(resource, READ_ONLY)
    body["properties"] = _without(resource["properties"], READ_ONLY_PROPERTIES)
    if identity := _without(resource.get("identity") or {}, READ_ONLY_IDENTITY):
        if assigned := identity.get("userAssignedIdentities"):
            identity["userAssignedIdentities"] = {id: {} for id in assigned}
        body["identity"] = identity
    return body


def _without(mapping: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """The state of a deployment; `model` is the ARM id of its model, `created` an ISO 8601 time.

    `instances` is how many it has, or the most that its own scale settings allow.
    """

    name: str
    provisioning_state: str
    model: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    operation: str = ""
    created: str = ""
    instances: int = 1

    @classmethod
    def read(cls, resource: Mapping[str, Any]) -> Self:
        """From the resource as ARM sends it."""
        properties = resource.get("properties") or {}
        scale = properties.get("scaleSettings") or {}
        counts = (resource.get("sku") or {}).get("capacity"), scale.get("maxInstances")
        return cls(
            name=resource["name"],
            provisioning_state=properties.get("provisioningState") or "",
            instances=max(int(count or 1) for count in counts),
            model=properties.get("model") or "",
            tags=dict(resource.get("tags") or {}),
            operation=(properties.get("properties") or {}).get(STATUS_URL) or "",
            created=str((resource.get("systemData") or {}).get("createdAt") or ""),
        )


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint to create, without traffic. `identities` are ARM ids; if empty, it is system-assigned."""

    name: str
    auth_mode: str = "key"
    tags: Mapping[str, str] = field(default_factory=dict)
    identities: tuple[str, ...] = ()
    public: bool = True

    def body(self, location: str) -> dict[str, Any]:
        """The resource to put; it has no traffic map, so the PUT changes none."""
        identity: dict[str, Any] = {"type": "SystemAssigned"}
        if self.identities:
            own: dict[str, Any] = {one: {} for one in self.identities}
            identity = {"type": "UserAssigned", "userAssignedIdentities": own}
        return {
            "location": location,
            "identity": identity,
            "properties": {
                "authMode": AUTH_MODES[self.auth_mode],
                "publicNetworkAccess": "Enabled" if self.public else "Disabled",
            },
            "tags": dict(self.tags),
        }


@dataclass(frozen=True, slots=True)
class NewDeployment:
    """A deployment to create: a CLI v2 `document` without local files, and the ARM id of the model."""

    endpoint: str
    name: str
    document: Mapping[str, Any]
    model: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobState:
    """A job's name and status (NotStarted, Running, Completed, Failed, Canceled …); `mark` is its tag."""

    name: str
    status: str
    mark: str = ""
