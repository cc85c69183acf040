"""The orchestrator of a response: claim, steps in order, and what to do when one fails."""

import json
from collections.abc import Generator
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents import telemetry
from mlevents.responses.carry import Answer, Course, StepFailedError, StepStoppedError, begin, carry
from mlevents.responses.gating import GateClosedError, before_steps
from mlevents.responses.response import Step
from mlevents.responses.shown import shown


class Record:
    """What has come of a response so far, shown in the orchestration's custom status."""

    def __init__(self, context: OrchestrationContext, document: dict[str, Any]) -> None:
        self.context = context
        self.response = document
        self.status: str = document["status"]
        self.because: str | None = document["because"]
        self.steps = [entry(step) for step in document["steps"]]
        self.results: dict[str, Any] = {}
        self.reports: dict[str, Any] = {}
        self.show()

    def show(self) -> None:
        """Publish how it stands."""
        self.context.set_custom_status(self.outcome())

    def note(self, step: dict[str, str], status: str, detail: str = "") -> None:
        """One step went on."""
        step.update(status=status, detail=detail)
        self.show()
        if status not in ("running", "waiting") and not self.context.is_replaying:
            telemetry.step_ended(self.response, step)

    def end(self, status: str) -> None:
        """Nothing more will be performed."""
        self.status = status
        for step in self.steps:
            if step["status"] == "waiting":
                step["status"] = "skipped"

    def outcome(self) -> dict[str, Any]:
        """How it stands, as people see it and as the claim keeps it."""
        return shown(self.response, self.status, self.because, self.steps)

    def whole(self) -> dict[str, Any]:
        """The outcome, and what steps report besides; too much for a custom status."""
        return {**self.outcome(), "reports": self.reports} if self.reports else self.outcome()


def entry(step: Step, prefix: str = "") -> dict[str, str]:
    """A step's line in the record."""
    return {"id": prefix + step["id"], "uses": step["uses"], "status": "waiting", "detail": ""}


def response(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """Carry one response, given as JSON text, through: once, however often it is started."""
    document, beginning = json.loads(text), context.current_utc_datetime
    claim = EntityInstanceId("claim", context.instance_id)
    kept = yield context.call_entity(claim, "take")
    if kept:
        context.set_custom_status({name: value for name, value in kept.items() if name != "reports"})
        return kept
    if not context.is_replaying:
        telemetry.began(document)
    record = Record(context, document)
    if record.status == "running":
        yield from perform_steps(context, document, record)
    else:
        yield from only_tell(context, document, record)
    yield context.call_entity(claim, "keep", record.whole())
    record.show()
    if not context.is_replaying:
        seconds = (context.current_utc_datetime - beginning).total_seconds()
        telemetry.ended(document, record.status, record.because, seconds)
    return record.whole()


def only_tell(context: OrchestrationContext, document: dict[str, Any], record: Record) -> Course:
    """What is settled is not performed; until all who should be were told, it is under way."""
    settled, record.status = record.status, "running"
    if document["alert"]:
        failure = {"step": None, "uses": None, "status": settled}
        yield from perform_on_failure(context, document, record, failure)
    record.end(settled)
    return {}


def perform_steps(context: OrchestrationContext, document: dict[str, Any], record: Record) -> Course:
    """The steps of `do`, in order, if no gate objects; the first that fails ends them."""
    try:
        yield from before_steps(context, document)
    except GateClosedError as error:
        record.because = f"{error.gate}: {error}"
        record.end("stopped")
        return {}
    for step, line in zip(document["steps"], record.steps, strict=True):
        record.note(line, "running")
        try:
            answer = yield from perform_step(context, document, step, {"results": record.results})
        except GateClosedError as error:
            record.note(line, "stopped", str(error))
            record.because = f"{error.gate}: {error}"
            record.end("stopped")
            return {}
        except StepFailedError as error:
            yield from step_failed(context, document, record, (step, line, error))
            return {}
        record.results[step["id"]] = answer.get("result", {})
        record.note(line, answer["kind"], answer["detail"])
    record.end("done")
    return {}


def step_failed(
    context: OrchestrationContext,
    document: dict[str, Any],
    record: Record,
    what: tuple[Step, dict[str, str], StepFailedError],
) -> Course:
    """The steps of `on_failure` hear of a step that failed, or that had to stop."""
    step, line, error = what
    status = "stopped" if isinstance(error, StepStoppedError) else "failed"
    if error.report:
        record.reports[step["id"]] = error.report
    record.note(line, status, str(error))
    record.because = f"step '{step['id']}': {error}"
    failure = {**error.report, "step": step["id"], "uses": step["uses"], "status": status}
    yield from perform_on_failure(context, document, record, failure)
    record.end(status)
    return {}


def perform_on_failure(
    context: OrchestrationContext, document: dict[str, Any], record: Record, failure: dict[str, Any]
) -> Course:
    """The steps of `on_failure`, each tried though the one before it failed."""
    failure = {**failure, "message": record.because or ""}
    for step in document["on_failure"]:
        line = entry(step, "on_failure.")
        record.steps.append(line)
        record.note(line, "running")
        names = {"results": record.results, "failure": failure}
        try:
            answer = yield from perform_step(context, document, {**step, "id": line["id"]}, names)
        except StepFailedError as error:
            record.note(line, "failed", str(error))
        else:
            record.note(line, answer["kind"], answer["detail"])
    return {}


def perform_step(
    context: OrchestrationContext, document: dict[str, Any], step: Step, names: dict[str, Any]
) -> Course:
    """One step, here or, when its action has an orchestrator of its own, in that."""
    call = begin(document, step, **names)
    answer: Answer
    if not step["orchestrator"]:
        answer = yield from carry(context, call)
        return answer
    child = f"{context.instance_id}.{step['id']}"
    try:
        said = yield context.call_sub_orchestrator(
            step["orchestrator"], input=json.dumps(call, ensure_ascii=False), instance_id=child
        )
    except TaskFailedError as error:
        raise StepFailedError(f"{step['orchestrator']} broke off: {error.details.message}") from error
    answer = json.loads(said)
    must_have_gone_on(answer)
    return answer


def must_have_gone_on(answer: Answer) -> None:
    """Raise what a step's own orchestrator tells instead of a result."""
    if answer["kind"] == "stopped" and answer["gate"] != StepStoppedError.gate:
        raise GateClosedError(answer["gate"], answer["detail"])
    if answer["kind"] == "stopped":
        raise StepStoppedError(answer["detail"], answer["report"])
    if answer["kind"] == "failed":
        raise StepFailedError(answer["detail"], answer["report"])
