"""Start one run of a Data Factory pipeline, once for each response.

```yaml
uses: run_data_factory_pipeline
with:
  connection: retraining
  pipeline: retrain
  parameters: {monitor: "${drift.monitor}", coefficient: "${drift.coefficient | default(0.0)}"}
  wait: true
```

`createRun` is not idempotent and has no idempotency key, so the step first stores its intent: the service's
time, and the equal runs that exist. Every later attempt first searches for its run, and creates one only if
there is none.

- A pipeline that declares the parameter `mlevents_response` gets this step's key in it, and only the key
  identifies its run. Declare it (type String) wherever a second run would do harm.
- In any other pipeline, a run begun since the intent, by hand or API, with the same parameters counts as
  ours: also one that someone else starts on purpose. Two events at the same moment with equal parameters may
  then share one run; the outcome says so, and `doctor` warns of such pipelines.

What remains: Data Factory does not promise that `queryPipelineRuns` shows a run at once. An attempt
that follows a lost answer before the run is listed creates a second one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, JsonValue

from mlevents.actions.action import (
    Action,
    ConnectionName,
    Done,
    Outcome,
    Pending,
    StepContext,
    action,
)
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.run_data_factory_pipeline.preflight import FACTORY_RIGHTS, check_factory_pipeline
from mlevents.errors import ActionError, PermanentError, TransientError
from mlevents.services.data_factory.factory_client import PIPELINE_NAME, DataFactory, Factory
from mlevents.services.data_factory.states import PipelineRun
from mlevents.services.finding import Finding
from mlevents.services.permission import Permission
from mlevents.services.services import Services

MARK = "mlevents_response"
LOOK_BACK = timedelta(minutes=10)
"""The largest difference between the clocks of Resource Manager and Data Factory."""
MOST_BEFORE = 500
"""The most equal runs that are stored; older runs are excluded by their start time."""
FOLLOW_AFTER = 30.0
FAILED_RUN_STATES = ("Failed", "Cancelled")


def _pipeline_name(text: str) -> str:
    if "${" in text or PIPELINE_NAME.fullmatch(text):
        return text
    raise ValueError(f"'{text}' is not a valid name for a Data Factory pipeline")


def _unmarked(parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if MARK in parameters:
        raise ValueError(f"'{MARK}' is filled in by mlevents where the pipeline declares it: leave it out")
    return parameters


@action("run_data_factory_pipeline")
class RunDataFactoryPipeline(Action):
    """Start a run of a pipeline; with `wait`, follow it to its end and fail when it fails."""

    permissions: ClassVar[tuple[Permission, ...]] = FACTORY_RIGHTS
    leads_to: ClassVar[tuple[str, ...]] = (
        "model.registered",
        "model.tagged",
        "run.completed",
        "run.status_changed",
    )

    connection: Annotated[str, ConnectionName(("data_factory",))]
    """name a connection of type `data_factory`."""
    pipeline: Annotated[str, AfterValidator(_pipeline_name)]
    """name the pipeline of the factory."""
    parameters: Annotated[dict[str, JsonValue], AfterValidator(_unmarked)] = Field(default_factory=dict)
    """Values for the parameters of the pipeline, such as `{monitor: "${drift.monitor}"}`."""
    wait: bool = False
    """Follows the run to its end: a run that fails or is cancelled fails the step."""

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Store the intent, then find or create the run, then follow it: one of these in each attempt."""
        factory = self._factory(services)
        if "run_id" in context.progress:
            return self._follow(factory, context.progress)
        if "since" not in context.progress:
            return self._intend(factory)
        return self._start(factory, context)

    def preflight(self, context: Preflight) -> Iterator[Finding]:
        """Compare the parameters with those that the pipeline declares."""
        given = {**self.parameters, MARK: ""}
        return check_factory_pipeline(lambda: self._factory(context.services), self.pipeline, given)

    def _factory(self, services: Services) -> Factory:
        found = services.connection(self.connection)
        if isinstance(found, DataFactory):
            return found.open(services)
        raise PermanentError(
            f"the connection '{self.connection}' is not a data_factory connection: name one that is"
        )

    def _intend(self, factory: Factory) -> Pending:
        pipeline = factory.pipeline(self.pipeline)
        marked = MARK in (pipeline.parameters or ())
        since = pipeline.read - LOOK_BACK
        like = [] if marked else self._like(factory, since)
        newest = like[-MOST_BEFORE:]
        if len(newest) < len(like):  # ours begins after all of them
            since = newest[0].started or since
        progress = {"since": since.isoformat(), "marked": marked, "before": [run.id for run in newest]}
        return Pending(f"about to run pipeline '{self.pipeline}'", 0.0, progress)

    def _start(self, factory: Factory, context: StepContext) -> Outcome:
        marked = bool(context.progress["marked"])
        if found := self._own_run(factory, context):
            return self._started(factory, found.id, self._recognised(found, marked))
        mark = {MARK: context.key} if marked else {}
        try:
            run_id = factory.create_run(self.pipeline, {**self.parameters, **mark})
        except TransientError:  # lost or unreadable: the run may have been started all the same
            with suppress(ActionError):
                if found := self._own_run(factory, context):
                    return self._started(factory, found.id, self._recognised(found, marked))
            raise
        return self._started(factory, run_id, f"started run {run_id} of pipeline '{self.pipeline}'")

    def _own_run(self, factory: Factory, context: StepContext) -> PipelineRun | None:
        """The run that an earlier attempt started, if the factory lists it."""
        since = datetime.fromisoformat(context.progress["since"])
        if context.progress["marked"]:
            runs = factory.runs(self.pipeline, since)
            return next((run for run in runs if run.parameters.get(MARK) == context.key), None)
        like = self._like(factory, since)
        return next((run for run in like if run.id not in context.progress["before"]), None)

    def _like(self, factory: Factory, since: datetime) -> list[PipelineRun]:
        """Runs started since a time, manually or by API, with these parameters."""
        return [
            run
            for run in factory.runs(self.pipeline, since)
            if (run.started is None or run.started >= since)
            and run.invoked_by in (None, "Manual")
            and all(_equal(value, run.parameters.get(name)) for name, value in self.parameters.items())
        ]

    def _recognised(self, run: PipelineRun, marked: bool) -> str:
        how = "by this response's key" if marked else "by its parameters; another response may share it"
        return f"found run {run.id} of pipeline '{self.pipeline}', recognised {how}"

    def _started(self, factory: Factory, run_id: str, detail: str) -> Outcome:
        if self.wait:
            return Pending(detail, FOLLOW_AFTER, {"run_id": run_id})
        return Done(detail, self._result(factory, run_id, "Started"))

    def _follow(self, factory: Factory, progress: Mapping[str, Any]) -> Outcome:
        run = factory.run(progress["run_id"])
        detail = f"run {run.id} of pipeline '{self.pipeline}' is {run.status}"
        if run.status in FAILED_RUN_STATES:
            raise PermanentError(f"{detail}: {run.message[:500] or 'Data Factory gives no reason'}")
        if run.status == "Succeeded":
            return Done(detail, self._result(factory, run.id, run.status))
        return Pending(detail, FOLLOW_AFTER, progress)

    def _result(self, factory: Factory, run_id: str, status: str) -> dict[str, str]:
        link = factory.link(run_id)
        result = {"run_id": run_id, "pipeline": self.pipeline, "status": status}
        return {**result, "link": link} if link else result


def _equal(ours: JsonValue, theirs: str | None) -> bool:
    """Whether Data Factory's text of a parameter is this value."""
    if isinstance(ours, str) or theirs is None:
        return ours == theirs
    try:
        shown = json.loads(theirs.lower() if isinstance(ours, bool) else theirs)
    except ValueError:
        return False
    return bool(shown == ours) and isinstance(shown, bool) == isinstance(ours, bool)
