"""A run of Azure Pipelines: what is sent, and how it is recognised."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlevents.actions.remote_run import KEY_INPUT, Recognition, RemoteRun, RemoteRuns
from mlevents.errors import PermanentError, RefusedError
from mlevents.services.azure_devops.pipelines import (
    DevOpsPipeline,
    DevOpsRun,
    describe_failed_tasks,
    list_run_ids,
    read_pipeline_run,
    run_pipeline,
)
from mlevents.services.azure_devops.project import Project


@dataclass(frozen=True, slots=True)
class PipelineStart(RemoteRuns):
    """A run of one pipeline for one step; `ref` is complete, such as `refs/heads/main`."""

    service = "Azure DevOps"
    project: Project
    pipeline: DevOpsPipeline
    key: str
    ref: str | None
    parameters: Mapping[str, str]
    variables: Mapping[str, str]

    def __str__(self) -> str:
        return f"the pipeline '{self.pipeline.name}'"

    def read_time(self) -> datetime:
        """Azure DevOps' time; raises PermanentError for a disabled pipeline."""
        if self.pipeline.status == "disabled":
            raise PermanentError(f"{self} is disabled: enable it in {self.project.address}")
        return self.pipeline.time

    def list_ids(self, since: datetime) -> list[int]:
        """The runs of the pipeline since a time."""
        return list_run_ids(self.project, self.pipeline.id, since)

    def send(self, marked: bool) -> RemoteRun:
        """Start a run."""
        run = run_pipeline(self.project, self.pipeline.id, self.make_body(marked))
        return RemoteRun(run.id, run.link)

    def make_body(self, marked: bool) -> dict[str, Any]:
        """What is sent."""
        mark = {KEY_INPUT: self.key} if marked else {}
        body: dict[str, Any] = {
            "templateParameters": {**self.parameters, **mark},
            "variables": {name: {"value": value} for name, value in self.variables.items()},
        }
        if self.ref is not None:
            body["resources"] = {"repositories": {"self": {"refName": self.ref}}}
        return body

    def lacks_key_input(self, error: RefusedError) -> bool:
        """Whether Azure DevOps answered 400, `Unexpected parameter 'mlevents_response'`."""
        return error.status == 400 and KEY_INPUT in error.answer

    def find_by_key(self, since: datetime) -> Recognition:
        """The first run whose parameter holds the step's key."""
        runs = [run for run in self._read_runs(self.list_ids(since)) if self._is_own(run)]
        return Recognition(tuple(RemoteRun(run.id, run.link) for run in runs[-1:]))

    def find_by_circumstances(self, since: datetime, before: Collection[int]) -> Recognition:
        """The run with the key; else a new one without a key, with the same branch and parameters.

        Raises PermanentError when more than one fits.
        """
        runs = list(self._read_runs([one for one in self.list_ids(since) if one not in before]))
        if own := [run for run in runs if self._is_own(run)]:
            return Recognition((RemoteRun(own[-1].id, own[-1].link),))
        fitting = [run for run in runs if self._fits(run)]
        if len(fitting) > 1:
            links = ", ".join(run.link for run in fitting)
            raise PermanentError(
                f"{len(fitting)} runs may be this step's, and none has its key: {links}; "
                f"declare the parameter {KEY_INPUT} in the pipeline"
            )
        reason = "recognised by time, branch and parameters; it may belong to another response"
        return Recognition(tuple(RemoteRun(run.id, run.link) for run in fitting), reason)

    def _read_runs(self, ids: list[int]) -> Iterator[DevOpsRun]:
        return (read_pipeline_run(self.project, self.pipeline.id, one) for one in ids)

    def _is_own(self, run: DevOpsRun) -> bool:
        return run.parameters.get(KEY_INPUT) == self.key

    def _fits(self, run: DevOpsRun) -> bool:
        same_branch = self.ref is None or run.ref in (None, self.ref)
        same_values = (
            self.parameters.items() <= run.parameters.items()
            and self.variables.items() <= run.variables.items()
        )
        return same_branch and same_values and not run.parameters.get(KEY_INPUT)

    def read(self, run_id: int) -> RemoteRun:
        """A run, as it is now."""
        run = read_pipeline_run(self.project, self.pipeline.id, run_id)
        result = (run.result or "unknown") if run.state == "completed" else None
        return RemoteRun(run.id, run.link, run.state, result, result == "succeeded")

    def describe_failed_parts(self, run: RemoteRun) -> str:
        """Its failed tasks, each with its error."""
        return describe_failed_tasks(self.project, run.id)
