"""Pipelines of one project, and their runs; each look at a run takes it a state further.

https://learn.microsoft.com/rest/api/azure/devops/pipelines/runs. The texts of refusals are those that people
report; Microsoft documents none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.devops.answers import DevOpsError

KNOWN_KEYS = ("resources", "templateParameters", "variables", "stagesToSkip", "previewRun", "yamlOverride")
LOOKS = 2
"""Looks at a run before it is completed."""


@dataclass
class PipelineFile:
    """A pipeline; `parameters` are those that it declares with their defaults, None for a required one.

    `takes_any` parameter and variable, declared or not. `variables` are those settable at queue time.
    """

    id: int
    name: str
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    folder: str = "\\"
    status: str = "enabled"
    takes_any: bool = False


@dataclass
class PipelineRun:
    """One run; `hidden` is how many listings leave it out."""

    id: int
    pipeline: PipelineFile
    ref: str
    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]
    created: datetime
    hidden: int
    result: str
    looks: int = 0


@dataclass
class PipelineRuns:
    """The pipelines, runs and work items of a project; `pipelines` are those that exist, or None for all."""

    pipelines: list[PipelineFile] | None = None
    branches: tuple[str, ...] | None = None
    listing_lag: int = 1
    results: list[str] = field(default_factory=list)
    runs: list[PipelineRun] = field(default_factory=list)
    work_items: list[dict[str, Any]] = field(default_factory=list)
    _open: list[PipelineFile] = field(default_factory=list)

    def find(self, name: str | None, folder: str | None = None) -> list[PipelineFile]:
        """The pipelines of this name, in this folder; all without a name."""
        if self.pipelines is None:
            if name and all(one.name != name for one in self._open):
                self._open.append(PipelineFile(len(self._open) + 1, name, takes_any=True))
            return [one for one in self._open if name in (None, one.name)]
        return [one for one in self.pipelines if name in (None, one.name) and folder in (None, one.folder)]

    def get(self, id: int) -> PipelineFile:
        """A pipeline by its id; raises DevOpsError 404."""
        if self.pipelines is None and all(one.id != id for one in self._open):
            self._open.append(PipelineFile(id, f"pipeline-{id}", takes_any=True))
        for one in self.pipelines if self.pipelines is not None else self._open:
            if one.id == id:
                return one
        text = f"The build definition {id} does not exist. Specify a valid build definition and try again."
        raise DevOpsError(404, text, "DefinitionNotFoundException")

    def start(self, pipeline: PipelineFile, body: Mapping[str, Any]) -> PipelineRun | None:
        """A new run, or None for a preview; raises DevOpsError 400."""
        for key in body:
            if key not in KNOWN_KEYS:
                raise DevOpsError(400, f"The property '{key}' is not known.", "InvalidRequestException")
        if pipeline.status == "disabled":
            raise DevOpsError(400, f"Pipeline {pipeline.name} is disabled.", "PipelineDisabledException")
        source = ((body.get("resources") or {}).get("repositories") or {}).get("self") or {}
        ref = source.get("refName", "refs/heads/main")
        if self.branches is not None and ref not in self.branches:
            text = f"Could not find a branch or tag with the name {ref}."
            raise DevOpsError(400, text, "PipelineValidationException")
        parameters = _check_parameters(pipeline, body.get("templateParameters") or {})
        variables = _check_variables(pipeline, body.get("variables") or {})
        if body.get("previewRun"):
            return None
        result = self.results.pop(0) if self.results else "succeeded"
        now, number = datetime.now(UTC), 100 + len(self.runs)
        run = PipelineRun(number, pipeline, ref, parameters, variables, now, self.listing_lag, result)
        self.runs.append(run)
        return run

    def list_runs(self, pipeline: int, since: str | None) -> list[PipelineRun]:
        """The runs that are listed by now, the newest first."""
        moment = datetime.fromisoformat(since) if since else None
        listed = []
        for run in reversed(self.runs):
            if run.hidden > 0:
                run.hidden -= 1
            elif run.pipeline.id == pipeline and (moment is None or run.created >= moment):
                listed.append(run)
        return listed

    def get_run(self, id: int) -> PipelineRun:
        """A run; raises DevOpsError 404."""
        for run in self.runs:
            if run.id == id:
                return run
        raise DevOpsError(404, f"The requested build {id} could not be found.", "BuildNotFoundException")


def _check_parameters(pipeline: PipelineFile, written: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in written.items():
        if not pipeline.takes_any and name not in pipeline.parameters:
            raise DevOpsError(400, f"Unexpected parameter '{name}'", "PipelineValidationException")
        if not isinstance(value, str):
            raise DevOpsError(400, f"The value of '{name}' is not a string.", "InvalidRequestException")
    known = {**pipeline.parameters, **written}
    for name, value in known.items():
        if value is None:
            text = f"A value for the '{name}' parameter must be provided."
            raise DevOpsError(400, text, "PipelineValidationException")
    return known


def _check_variables(pipeline: PipelineFile, written: Mapping[str, Any]) -> dict[str, Any]:
    fixed = [name for name in written if name not in pipeline.variables]
    if fixed and not pipeline.takes_any:
        raise DevOpsError(
            400,
            f"You can't set the following variables ({','.join(fixed)}). If you want to be able to set these "
            "variables, then edit the pipeline and select Settable at queue time on the variables tab.",
            "SettingVariablesAtQueueTimeException",
        )
    return dict(written)
