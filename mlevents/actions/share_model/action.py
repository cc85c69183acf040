"""Copy a registered model to an Azure ML registry, and register it in another workspace.

```yaml
uses: share_model
id: share
with:
  registry: models                     # a connection of type ml_registry
  tags: {approved: "true"}
```

A deployment in any workspace can use the copy, so a later step deploys it in prod:

```yaml
uses: deploy_model
with:
  workspace: prod                      # a connection of type ml_workspace
  model: "${steps.share.model}"
  endpoint: fraud
  template: deployments/small.yaml
```

`workspace` also registers the copy in another workspace, by its path in the registry: Azure ML copies no
model from one workspace to another directly. The copy has the tags of the model and of the step, and those of
everything that mlevents creates, so that a chain of responses ends. Later steps read `registry`, `workspace`,
`model`, `name`, `version` and `link`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from mlevents.actions.action import Action, Done, Outcome, Pending, StepContext, action
from mlevents.actions.deploy_model.model_reference import ModelText
from mlevents.actions.other_workspace import open_other_workspace
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.share_model.copy_source import CopySource
from mlevents.actions.share_model.preflight import SHARE_RIGHTS, check_share_needs
from mlevents.actions.share_model.registered_copy import SOURCE_TAG, check_source, register_copy
from mlevents.errors import PermanentError
from mlevents.services.connection import ConnectionName
from mlevents.services.finding import Finding
from mlevents.services.machine_learning.copy_operation import CopyOperation, CopyState
from mlevents.services.machine_learning.model_registry import ModelRegistry, SharedModel
from mlevents.services.machine_learning.registry_connection import ModelRegistryConnection
from mlevents.services.machine_learning.resource_ids import ASSET_NAME
from mlevents.services.permission import Permission
from mlevents.services.services import Services

NEXT_LOOK = 10.0
"""Seconds until the next look at a copy."""
MOST_COPY_LOOKS = 30
"""How often a copy is looked for whose status cannot be read, or that has succeeded: about two hours."""


def _check_part(text: str) -> str:
    if "${" in text or ASSET_NAME.fullmatch(text):
        return text
    raise ValueError(f"'{text}' is not valid: use letters, digits, dots, dashes and underscores")


AssetPart = Annotated[str, AfterValidator(_check_part)]


@action("share_model")
class ShareModel(Action):
    """Copy a model to a registry; each attempt looks at what is there, and does the next part."""

    permissions: ClassVar[tuple[Permission, ...]] = SHARE_RIGHTS
    causes: ClassVar[tuple[str, ...]] = ("model.registered",)
    causes_with: ClassVar[str] = "workspace"
    from_event: ClassVar[Mapping[str, str]] = {"model": "model"}

    registry: Annotated[str, ConnectionName(("ml_registry",))]
    """name a connection of type `ml_registry`."""
    workspace: Annotated[str, ConnectionName(("ml_workspace",))] | None = None
    """A connection of type `ml_workspace`: the copy is also registered there."""
    model: ModelText | None = None
    """The model as `name:version`. The model of the event when left out."""
    name: AssetPart | None = None
    """The name of the copy; that of the model when left out."""
    version: AssetPart | None = None
    """The version of the copy; that of the model when left out."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags of the copy, in addition to those of the model and those that mlevents sets."""

    def preflight(self, context: Preflight) -> Iterator[Finding]:
        """Check that the registry serves the regions of the workspaces, and that the model exists."""
        return check_share_needs(self.registry, self.workspace, self.model, context)

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Find the copy, or do the next part: record that there was none, copy, tag, register."""
        registry = self._open_registry(services)
        source = CopySource.of(self.model, context, services)
        name, version = self.name or source.name, self.version or source.version
        found = registry.find_version(name, version)
        place = f"{name}:{version} in registry '{registry.name}'"
        if found is None:
            return self._copy(registry, source, SharedModel(name, version), context)
        if found.provisioning_state in ("Creating", "Updating"):
            return Pending(f"{place} is {found.provisioning_state}", NEXT_LOOK, context.progress)
        if found.tags.get(SOURCE_TAG) != source.mark:
            return self._claim(registry, source, found, context)
        result = {"registry": registry.id, "name": name, "version": version}
        if self.workspace is None:
            link = registry.model_link(name, version)
            model = registry.model_id(name, version)
            return Done(f"{source} is {place}: {link}", {**result, "model": model, "link": link})
        return self._register(registry, source, found, services, result)

    def _copy(
        self, registry: ModelRegistry, source: CopySource, wanted: SharedModel, context: StepContext
    ) -> Outcome:
        """Start the copy once it is stored that there was none; then follow it."""
        place = f"{wanted.name}:{wanted.version} in registry '{registry.name}'"
        if "copying" not in context.progress:
            source.read_model()
            return Pending(f"{source} is about to be copied to {place}", 0.0, {"copying": True})
        if "operation" not in context.progress:
            operation = registry.start_copy(source.find_asset_id(), wanted.name, wanted.version)
        else:
            operation = registry.read_copy(CopyOperation(str(context.progress["operation"])))
        if operation.state is CopyState.FAILED:
            reason = operation.reason or "Azure gives no reason"
            raise PermanentError(f"{source} could not be copied to {place}: {reason}")
        looks = 0 if operation.state is CopyState.RUNNING else context.progress.get("looks", 0) + 1
        if looks > MOST_COPY_LOOKS:
            raise PermanentError(
                f"{place} is not there, and no status says why: look at the registry in Studio"
            )
        progress = {"copying": True, "operation": operation.status_url, "looks": looks}
        return Pending(f"{source} is being copied to {place}", NEXT_LOOK, progress)

    def _claim(
        self, registry: ModelRegistry, source: CopySource, found: SharedModel, context: StepContext
    ) -> Outcome:
        """Tag the copy that this step has made; raises PermanentError for a model from elsewhere."""
        place, tags = f"registry '{registry.name}'", source.read_model().tags
        is_foreign = found.tags.get(SOURCE_TAG) not in (None, tags.get(SOURCE_TAG))
        if is_foreign or "copying" not in context.progress:
            check_source(found.tags, source, f"{found.name}:{found.version}", place)
        if found.provisioning_state not in ("Succeeded", ""):
            raise PermanentError(
                f"{found.name}:{found.version} in {place} is {found.provisioning_state}: delete it, or set "
                "`version` to another one"
            )
        own = {**self.tags, **context.provenance, SOURCE_TAG: source.mark}
        registry.put_tags(found, {**tags, **found.tags, **own})
        return Pending(f"{source} is copied to {place}, and is being tagged", NEXT_LOOK, context.progress)

    def _register(
        self,
        registry: ModelRegistry,
        source: CopySource,
        copied: SharedModel,
        services: Services,
        result: dict[str, str],
    ) -> Outcome:
        opened = open_other_workspace(self.workspace or "", services)
        register_copy(opened.models, registry, source, copied)
        model = opened.workspace.asset("models", copied.name, copied.version)
        link = opened.workspace.model_link(copied.name, copied.version)
        detail = f"{source} is {copied.name}:{copied.version} in workspace '{opened.workspace.name}': {link}"
        more = {"workspace": opened.workspace.id, "model": f"azureml:{model}", "link": link}
        return Done(detail, {**result, **more})

    def _open_registry(self, services: Services) -> ModelRegistry:
        found = services.connection(self.registry)
        if isinstance(found, ModelRegistryConnection):
            return found.open(services)
        raise PermanentError(f"the connection '{self.registry}' is not of type ml_registry: name one")
