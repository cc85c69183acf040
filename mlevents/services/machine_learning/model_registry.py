"""The models of a registry of Azure Machine Learning: copy one there, read the copy and tag it.

The copy is the request behind `MLClient.models.share`, which waits for its end in a thread. A registry's
assets are served by the front end of its primary region, under the rights `registries/assets/*`, not by
Resource Manager.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from urllib.parse import quote

from mlevents.errors import PermanentError
from mlevents.events.studio_links import STUDIO
from mlevents.services.answer_fields import require_list, require_object, require_text
from mlevents.services.arm_client import ArmClient
from mlevents.services.machine_learning.batch_endpoints import FRONT_END
from mlevents.services.machine_learning.copy_operation import CopyOperation
from mlevents.services.sdk_errors import translate_errors

REGISTRIES_API = "2024-10-01"
ASSETS_API = "2021-10-01-dataplanepreview"


@dataclass(frozen=True, slots=True)
class SharedModel:
    """A version of a model in a registry; `properties` are those that Azure answers, with the tags."""

    name: str
    version: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, version: str, resource: Mapping[str, Any]) -> Self:
        """From the resource; raises ValueError for one without properties."""
        return cls(name, version, require_object(resource.get("properties"), "properties"))

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags."""
        return dict(self.properties.get("tags") or {})

    @property
    def provisioning_state(self) -> str:
        """Succeeded, Creating, Failed …; empty where Azure does not tell."""
        return str(self.properties.get("provisioningState") or "")


class ModelRegistry:
    """The models of one registry. Its calls are short; none waits for the end of an operation."""

    def __init__(self, registry_id: str, resource_manager: str) -> None:
        self.id = registry_id
        self.name = registry_id.rpartition("/")[2]
        self._arm = ArmClient(resource_manager)

    def model_id(self, name: str, version: str) -> str:
        """The id by which a deployment in any workspace names a model of this registry."""
        return f"azureml://registries/{self.name}/models/{name}/versions/{version}"

    def model_link(self, name: str, version: str) -> str:
        """The model's page in Azure ML Studio."""
        parts = (quote(part, safe="") for part in (self.name, "models", name, "version", version))
        return f"{STUDIO}/registries/{'/'.join(parts)}"

    def list_regions(self) -> tuple[str, ...]:
        """The regions whose workspaces it serves; raises PermanentError when it does not exist."""
        with translate_errors(f"reading registry '{self.name}'"):
            regions = require_list(self._discovery.get("regions"), "regions")
            return tuple(str(region).replace(" ", "").lower() for region in regions)

    def find_version(self, name: str, version: str) -> SharedModel | None:
        """One version of a model; None when Azure answers 404."""
        with translate_errors(f"reading model '{name}:{version}' in registry '{self.name}'"):
            found = self._front_end.find(self._path(name, version), ASSETS_API)
            return SharedModel.read(name, version, found) if found else None

    def start_copy(self, source: str, name: str, version: str) -> CopyOperation:
        """Copy a model of a workspace; `source` is `azureml://locations/…/workspaces/<guid>/models/…`.

        A second request while the first is under way, or after it, is refused with 409.
        """
        what = f"copying the model to '{name}:{version}' in registry '{self.name}'"
        reference = {
            "referenceType": "Id",
            "destinationName": name,
            "destinationVersion": version,
            "sourceAssetId": source,
        }
        with translate_errors(what):
            place = f"{FRONT_END}{self.id}/import"
            answer = self._front_end.request("POST", place, ASSETS_API, {"properties": reference})
            return CopyOperation.accepted(answer.headers)

    def read_copy(self, operation: CopyOperation) -> CopyOperation:
        """The operation as it is now."""
        front_end = self._front_end
        return operation.read(front_end, (front_end.address, self._arm.address))

    def put_tags(self, model: SharedModel, tags: Mapping[str, str]) -> None:
        """Replace the tags of a model, by a PUT of all its properties; the others cannot change."""
        kept = {name: value for name, value in model.properties.items() if name != "provisioningState"}
        body = {"properties": {**kept, "tags": dict(tags)}}
        with translate_errors(f"tagging model '{model.name}:{model.version}' in registry '{self.name}'"):
            self._front_end.request("PUT", self._path(model.name, model.version), ASSETS_API, body)

    def _path(self, name: str, version: str) -> str:
        tail = f"models/{quote(name, safe='')}/versions/{quote(version, safe='')}"
        return f"{FRONT_END}{self.id}/{tail}"

    @cached_property
    def _discovery(self) -> Mapping[str, Any]:
        with translate_errors(f"reading registry '{self.name}'"):
            found = self._arm.find(self.id, REGISTRIES_API)
            if found is None:
                raise PermanentError(f"the registry {self.id} does not exist: create it, or correct its id")
            properties = require_object(found.get("properties"), "properties")
            return self._arm.get(_require_https(properties.get("discoveryUrl"), "discoveryUrl"))

    @cached_property
    def _front_end(self) -> ArmClient:
        """The front end of the primary region, which takes the tokens of Resource Manager."""
        with translate_errors(f"reading registry '{self.name}'"):
            field_name = "primaryRegionResourceProviderUri"
            address = _require_https(self._discovery.get(field_name), field_name)
            return ArmClient(address.rstrip("/"), audience=self._arm.address)


def _require_https(value: Any, what: str) -> str:
    """The address itself: a token goes there."""
    if (text := require_text(value, what)).startswith("https://"):
        return text
    raise ValueError(f"{what} is not an https address")
