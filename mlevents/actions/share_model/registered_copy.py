"""A copy in a registry or workspace: whether it is one of this model, and its registration in a workspace."""

from __future__ import annotations

from collections.abc import Mapping

from mlevents.actions.share_model.copy_source import CopySource
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.model_registry import ModelRegistry, SharedModel
from mlevents.services.machine_learning.registered_models import RegisteredModels

SOURCE_TAG = "mlevents.source"
"""The tag of a copy that names the model from which it was made."""
COPIED_FIELDS = ("description", "flavors", "modelType", "properties", "stage")
"""What the model in a workspace takes over from the copy in the registry."""


def check_source(tags: Mapping[str, str], source: CopySource, model: str, place: str) -> None:
    """Raise PermanentError for a model that is not a copy of the source."""
    if tags.get(SOURCE_TAG) == source.mark:
        return
    origin = tags.get(SOURCE_TAG)
    said = f"is a copy of {origin}" if origin else "was not made by mlevents"
    raise PermanentError(
        f"{model} in {place} {said}, and not of {source.mark}: set `name` or `version` to another one, or "
        f"delete {model} there"
    )


def register_copy(
    models: RegisteredModels, registry: ModelRegistry, source: CopySource, copied: SharedModel
) -> None:
    """Register the copy by its path in the registry, unless it is there.

    Raises PermanentError when another model has the name and version.
    """
    name, version = copied.name, copied.version
    if (found := models.find_version(name, version)) is not None:
        check_source(found.tags, source, f"{name}:{version}", f"workspace '{models.workspace.name}'")
        return
    kept = {key: copied.properties[key] for key in COPIED_FIELDS if copied.properties.get(key)}
    path = registry.model_id(name, version)
    models.put_version(name, version, {**kept, "modelUri": path, "tags": dict(copied.tags)})
