"""The workspaces of the sandbox: models, runs and endpoints of each are separate."""

from collections.abc import Mapping
from typing import Any

from sandbox.azure.machine_learning.load import Plane
from sandbox.azure.machine_learning.online_state import Endpoint
from sandbox.azure.machine_learning_provider import MachineLearning
from sandbox.azure.workspace import make_guid

PREFIX = "/workspace-"


class Workspaces:
    """Every workspace by the prefix of its data plane; that of the first one is empty."""

    def __init__(self, first: MachineLearning) -> None:
        self.parts: dict[str, MachineLearning] = {"": first}

    def add(self, part: MachineLearning) -> str:
        """Add one; returns the prefix of its data plane."""
        prefix = f"{PREFIX}{len(self.parts) + 1}"
        self.parts[prefix] = part
        return prefix

    def find_endpoint(self, name: str, workspace: str | None = None) -> Plane | None:
        """The data plane that has an endpoint; that of the workspace with this name or ARM id, if given."""
        for part in self.parts.values():
            names = (part.id.lower(), part.id.lower().rpartition("/")[2])
            wanted = workspace is None or workspace.lower().rstrip("/") in names
            if wanted and part.endpoints.find(name) is not None:
                return Plane(part.endpoints, part.scoring)
        return None

    def find_next_version(self, workspace: str, model: str) -> str:
        """The version that the next registration of a model gets in the workspace with this ARM id."""
        parts = [part for part in self.parts.values() if part.id.lower() == workspace.lower()]
        return parts[0].assets["models"].find_next_version(model) if parts else "1"

    def find_model(self, guid: str, name: str, version: str) -> tuple[str, dict[str, Any]] | None:
        """The id and the properties of a model in the workspace with this GUID."""
        for part in self.parts.values():
            id = f"{part.id}/models/{name}/versions/{version}"
            if make_guid(part.id) == guid.lower() and (found := part.assets["models"].find(id)):
                return id, found["properties"]
        return None

    def list_endpoints(self) -> Mapping[str, Endpoint]:
        """Every endpoint by its name; with its workspace's name before it if an earlier workspace has it."""
        found: dict[str, Endpoint] = {}
        for part in self.parts.values():
            for one in part.endpoints.all():
                name = one.name if one.name not in found else f"{part.id.rpartition('/')[2]}/{one.name}"
                found[name] = one
        return found

    def resolve_path(self, path: str) -> str:
        """The path with the id of the workspace instead of the prefix of its data plane."""
        start, _, rest = path.removeprefix("/").partition("/")
        part = self.parts.get(f"/{start}")
        return f"{part.id}/{rest}" if part and start else path
