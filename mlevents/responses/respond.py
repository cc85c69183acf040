"""The orchestrator of a response: claim, steps in order, and what to do when one fails."""

import json
from collections.abc import Generator
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.responses.carry import Answer, Call, Course, StepFailedError, carry
from mlevents.responses.response import Step

LONGEST_DETAIL = 300
"""Characters of a detail in the custom status, which Durable Functions keeps under 16 KB."""


class Record:
    """What has come of a response so far, shown in the orchestration's custom status."""

    def __init__(self, context: OrchestrationContext, document: dict[str, Any]) -> None:
        self.context = context
        self.status: str = document["status"]
        self.because: str | None = document["because"]
        self.steps = [entry(step) for step in document["steps"]]
        self.results: dict[str, Any] = {}
        self.show()

    def show(self) -> None:
        """Publish, with long details cut short."""
        steps = [{**step, "detail": step["detail"][:LONGEST_DETAIL]} for step in self.steps]
        because = self.because and self.because[: 2 * LONGEST_DETAIL]
        self.context.set_custom_status({"status": self.status, "because": because, "steps": steps})

    def note(self, step: dict[str, str], status: str, detail: str = "") -> None:
        """One step went on."""
        step.update(status=status, detail=detail)
        self.show()

    def outcome(self) -> dict[str, Any]:
        """Everything, as the claim keeps it."""
        return {"status": self.status, "because": self.because, "steps": self.steps}


def entry(step: Step, prefix: str = "") -> dict[str, str]:
    """A step's line in the record."""
    return {"id": prefix + step["id"], "uses": step["uses"], "status": "waiting", "detail": ""}


def response(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """Carry one response, given as JSON text, through: once, however often it is started."""
    document = json.loads(text)
    claim = EntityInstanceId("claim", context.instance_id)
    taken = yield context.call_entity(claim, "take", context.new_uuid())
    if taken:
        context.set_custom_status(taken["outcome"])
        return taken["outcome"]
    record = Record(context, document)
    if record.status == "running":
        yield from perform_steps(context, document, record)
    elif document["alert"]:
        yield from perform_on_failure(context, document, record, {"step": None, "uses": None})
    record.show()
    yield context.call_entity(claim, "keep", record.outcome())
    return record.outcome()


def perform_steps(context: OrchestrationContext, document: dict[str, Any], record: Record) -> Course:
    """The steps of `do`, in order; the first that fails ends them."""
    for step, line in zip(document["steps"], record.steps, strict=True):
        record.note(line, "running")
        try:
            answer = yield from perform_step(context, document, step, {"results": record.results})
        except StepFailedError as error:
            record.note(line, "failed", str(error))
            record.status, record.because = "failed", f"step '{step['id']}': {error}"
            failure = {"step": step["id"], "uses": step["uses"]}
            yield from perform_on_failure(context, document, record, failure)
            return {}
        record.results[step["id"]] = answer.get("result", {})
        record.note(line, answer["kind"], answer["detail"])
    record.status = "done"
    return {}


def perform_on_failure(
    context: OrchestrationContext, document: dict[str, Any], record: Record, failure: dict[str, Any]
) -> Course:
    """The steps of `on_failure`, each tried though the one before it failed."""
    failure = {**failure, "status": record.status, "message": record.because or ""}
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
    call: Call = {"response": document, "step": dict(step), "verb": "perform", "progress": {}, **names}
    answer: Answer
    if not step["orchestrator"]:
        answer = yield from carry(context, call)
        return answer
    child = f"{context.instance_id}.{step['id']}"
    try:
        said = yield context.call_sub_orchestrator(
            step["orchestrator"], input=json.dumps(call), instance_id=child
        )
    except TaskFailedError as error:
        raise StepFailedError(f"{step['orchestrator']} broke off: {error.details.message}") from error
    answer = json.loads(said)
    if answer["kind"] == "failed":
        raise StepFailedError(answer["detail"])
    return answer
