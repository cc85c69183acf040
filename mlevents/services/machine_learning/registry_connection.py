"""A registry of Azure Machine Learning: models are copied there, and any workspace can deploy them.

```yaml
connections:
  models:
    type: ml_registry
    id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-models/providers/Microsoft.MachineLearningServices/registries/contoso-models
```
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from mlevents.services.connection import Connection, SettingSource, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.machine_learning.model_registry import ModelRegistry

REGISTRY_ID = re.compile(
    r"/subscriptions/[-\w]{1,64}/resourceGroups/(?u:[-\w.()]{0,89}[-\w()])/providers"
    r"/Microsoft\.MachineLearningServices/registries/(?P<name>[A-Za-z0-9][-\w]{1,32})/?",
    re.IGNORECASE | re.ASCII,
)


def _check_id(text: str) -> str:
    if REGISTRY_ID.fullmatch(text):
        return text.rstrip("/")
    raise ValueError(
        f"'{text}' is not a registry id: write /subscriptions/<id>/resourceGroups/<name>"
        "/providers/Microsoft.MachineLearningServices/registries/<name>"
    )


@connection("ml_registry")
class ModelRegistryConnection(Connection):
    """A registry of Azure Machine Learning, by its ARM id."""

    implicit: ClassVar[bool] = True

    id: Annotated[str, AfterValidator(_check_id)]
    """write the ARM id of the registry: /subscriptions/…/registries/NAME; it may contain `${env.NAME}`."""

    @property
    def resource(self) -> str:
        """The registry's ARM id."""
        return self.id

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Check that the registry exists, and answers."""
        registry = self.open(services)
        remedy = "correct `id`, or create the registry"

        def read_regions() -> str:
            return f"exists, for workspaces in {', '.join(registry.list_regions())}"

        yield run_check(f"registry '{registry.name}'", read_regions, remedy)

    def open(self, services: SettingSource) -> ModelRegistry:
        """The registry, with the app's own identity."""
        return ModelRegistry(self.id, services.settings.resource_manager)
