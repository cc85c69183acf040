"""The workspace itself, as Resource Manager has it: where it is, and where its data plane answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from mlevents.services.answer_fields import require_object, require_text
from mlevents.services.arm_client import ArmClient
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.sdk_errors import translate_errors

WORKSPACES_API = "2024-10-01"


@dataclass(frozen=True, slots=True)
class WorkspaceResource:
    """A workspace; `location` is its region as Azure writes it, `properties` hold what it has besides."""

    location: str
    properties: Mapping[str, Any]

    @classmethod
    def read(cls, resource: Mapping[str, Any]) -> Self:
        """From the resource as ARM sends it; raises ValueError for one without a region."""
        properties = require_object(resource.get("properties"), "properties")
        return cls(require_text(resource.get("location"), "location"), properties)

    @property
    def region(self) -> str:
        """The name of its region, such as westeurope."""
        return self.location.replace(" ", "").lower()

    @property
    def is_private(self) -> bool:
        """Whether it refuses public networks; its control plane answers nevertheless."""
        return str(self.properties.get("publicNetworkAccess") or "").casefold() == "disabled"

    @property
    def guid(self) -> str:
        """Its GUID, by which a registry finds its models; raises ValueError where Azure sends none."""
        return require_text(self.properties.get("workspaceId"), "workspaceId")

    @property
    def discovery_url(self) -> str:
        """Where it says the addresses of its data plane; raises ValueError where Azure sends none."""
        return require_text(self.properties.get("discoveryUrl"), "discoveryUrl")


def read_workspace(arm: ArmClient, workspace: Workspace) -> WorkspaceResource:
    """Read a workspace; raises PermanentError for one that does not exist, and TransientError."""
    with translate_errors(f"reading workspace '{workspace.name}'"):
        query = {"api-version": WORKSPACES_API}
        return WorkspaceResource.read(arm.get(f"{arm.address}{workspace.id}", query))
