"""One registry in memory: the versions of its models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.azure.identity import PRINCIPAL
from sandbox.azure.workspace import ML

Model = tuple[str, str]
"""The name and the version of a model."""
FIRST: Mapping[str, Any] = {"tags": {}, "properties": {}, "isArchived": False, "isAnonymous": False}


@dataclass(slots=True)
class Registry:
    """One registry and its models, by name and version; `copying` are those under way."""

    id: str
    location: str
    models: dict[Model, dict[str, Any]] = field(default_factory=dict)
    copying: set[Model] = field(default_factory=set)

    @property
    def name(self) -> str:
        """Its name."""
        return self.id.rpartition("/")[2]

    def add(self, model: Model, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Create or change a version."""
        name, version = model
        known = self.models.get(model)
        now = datetime.now(UTC).isoformat()
        made = (
            known["systemData"]
            if known
            else {"createdAt": now, "createdBy": PRINCIPAL, "createdByType": "Application"}
        )
        path = f"azureml://registries/{self.name}/models/{name}/versions/{version}"
        self.models[model] = {
            "id": path,
            "name": version,
            "type": f"{ML}/registries/models/versions",
            "properties": {
                **FIRST,
                **properties,
                "modelUri": known["properties"]["modelUri"] if known else f"{path}/paths/",
                "provisioningState": "Succeeded",
            },
            "systemData": {**made, "lastModifiedAt": now},
        }
        return self.models[model]
