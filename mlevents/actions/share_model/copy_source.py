"""The model that is copied: a version in the workspace of the event."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from mlevents.actions.action import LONGEST_TAG, StepContext
from mlevents.actions.deploy_model.model_reference import find_event_model
from mlevents.canonical import fold
from mlevents.errors import PermanentError, TransientError
from mlevents.services.machine_learning.registered_models import ModelVersion
from mlevents.services.machine_learning.resource_ids import ModelReference
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.services import Services


@dataclass(frozen=True, slots=True)
class CopySource:
    """One version of a model in a workspace; as a text, `name:version`."""

    machine_learning: MachineLearning
    name: str
    version: str

    @classmethod
    def of(cls, reference: str | None, context: StepContext, services: Services) -> Self:
        """The model that the step names, else the event's; raises PermanentError when neither names one."""
        model = ModelReference.parse(reference) if reference else find_event_model(context)
        if model is None:
            fact = f"no model to share: the {context.event.type} event names none"
            raise PermanentError(f"{fact}. Set the parameter `model` to name:version")
        if model.registry or model.workspace:
            raise PermanentError(f"`model` is '{reference}': write name:version, of the event's workspace")
        return cls(services.machine_learning(context.event.topic), model.name, model.version)

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def mark(self) -> str:
        """What a copy of exactly this model has as its tag `mlevents.source`."""
        workspace = fold(self.machine_learning.workspace.id)
        text = f"{workspace}/models/{self.name}/versions/{self.version}"
        return text if len(text) <= LONGEST_TAG else hashlib.sha256(text.encode()).hexdigest()

    def read_model(self) -> ModelVersion:
        """The model; raises TransientError when it is not found: Azure may answer 404 for a moment."""
        found = self.machine_learning.models.find_version(self.name, self.version)
        if found is None:
            workspace = self.machine_learning.workspace.name
            raise TransientError(
                f"model '{self}' is not in workspace '{workspace}': correct `model`, or register it"
            )
        return found

    def find_asset_id(self) -> str:
        """The id by which a registry finds the model."""
        return self.machine_learning.models.find_asset_id(self.name, self.version)
