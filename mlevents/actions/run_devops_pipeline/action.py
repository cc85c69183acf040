"""Start a run of Azure Pipelines, once for each response, and follow it.

```yaml
uses: run_devops_pipeline
with:
  connection: ml-pipelines
  pipeline: promote-model
  ref: main
  parameters: {model: "${model.name}", version: "${model.version}"}
  wait: true
```

Starting a run is not idempotent, so the step first stores its intent, and every attempt first looks for a run
whose parameter `mlevents_response` holds this step's key. A pipeline that declares this parameter (type
string) is recognised exactly. In any other, after a lost answer, a run that began since then with the same
branch, parameters and variables counts as ours when it is the only one.

What remains: Azure DevOps does not promise that a run is listed at once. Without the parameter, a host that
is killed between the start and its record starts a second run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, JsonValue

from mlevents.actions.action import Action, Outcome, Pending, StepContext, action
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.remote_run import KEY_INPUT, write_input
from mlevents.actions.run_devops_pipeline.pipeline_start import PipelineStart
from mlevents.actions.run_devops_pipeline.preflight import check_devops_pipeline
from mlevents.actions.run_progress import advance_run
from mlevents.actions.unresolved_parameters import is_unresolved, report_unresolved
from mlevents.errors import PermanentError
from mlevents.services.azure_devops.connection import AzureDevOps
from mlevents.services.azure_devops.pipelines import DevOpsPipeline, find_pipeline
from mlevents.services.azure_devops.project import Project
from mlevents.services.connection import ConnectionName
from mlevents.services.finding import Finding
from mlevents.services.services import Services


def _pipeline(value: str | int) -> str | int:
    if isinstance(value, str) and "*" in value:
        raise ValueError(f"'{value}' is not the name of one pipeline: write it without '*'")
    return value


def _without_key(parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if KEY_INPUT in parameters:
        raise ValueError(
            f"'{KEY_INPUT}' is filled in by mlevents where the pipeline declares it: leave it out"
        )
    return parameters


@action("run_devops_pipeline")
class RunDevopsPipeline(Action):
    """Start a run of Azure Pipelines; with `wait`, follow it to its end and fail when it fails."""

    leads_to: ClassVar[tuple[str, ...]] = ("model.registered", "run.completed", "run.status_changed")

    connection: Annotated[str, ConnectionName(("azure_devops",))]
    """name a connection of type `azure_devops`."""
    pipeline: Annotated[str | int, AfterValidator(_pipeline)]
    """name the pipeline: its name, its folder and name (`\\\\folder\\\\name`), or its id."""
    ref: Annotated[str, Field(min_length=1)] | None = None
    """The branch, or `refs/tags/NAME`; the pipeline's default branch when left out."""
    parameters: Annotated[dict[str, JsonValue], AfterValidator(_without_key)] = Field(default_factory=dict)
    """Values for the parameters of the pipeline, such as `{model: "${model.name}"}`."""
    variables: dict[str, JsonValue] = Field(default_factory=dict)
    """Values for variables that are settable at queue time; prefer parameters."""
    wait: bool = False
    """Follows the run to its end: any result but `succeeded` fails the step."""

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Store the intent, then find or start the run, then follow it: one of these in each attempt."""
        start = self._make_start(context.key, services, context.progress.get("pipeline"))
        outcome = advance_run(start, context, wait=self.wait)
        if isinstance(outcome, Pending):
            return replace(outcome, progress={**outcome.progress, "pipeline": start.pipeline.to_json()})
        return outcome

    def preflight(self, context: Preflight) -> Iterator[Finding]:
        """Look the pipeline up, and let Azure DevOps check the parameters without starting a run."""
        name = str(self.pipeline)
        if is_unresolved(name):
            yield report_unresolved("pipeline", name)
            return
        yield from check_devops_pipeline(name, lambda: self._make_start("doctor", context.services))

    def _make_start(
        self, key: str, services: Services, found: Mapping[str, Any] | None = None
    ) -> PipelineStart:
        """`found` is the pipeline as an earlier attempt found it."""
        project = self._open(services)
        return PipelineStart(
            project,
            DevOpsPipeline.from_json(found) if found else find_pipeline(project, str(self.pipeline)),
            key,
            _complete_ref(self.ref),
            {name: write_input(value) for name, value in self.parameters.items()},
            {name: write_input(value) for name, value in self.variables.items()},
        )

    def _open(self, services: Services) -> Project:
        found = services.connection(self.connection)
        if isinstance(found, AzureDevOps):
            return found.open(services)
        raise PermanentError(
            f"the connection '{self.connection}' is not of type azure_devops: name one that is"
        )


def _complete_ref(ref: str | None) -> str | None:
    return ref if ref is None or ref.startswith("refs/") else f"refs/heads/{ref}"
