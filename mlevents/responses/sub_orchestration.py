"""One step of a response: performed here or, when its action has its own orchestrator, in that."""

import json
from typing import Any

from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.responses.carry import Answer, Course, StepFailedError, StepStoppedError, begin, carry
from mlevents.responses.gating import GateClosedError
from mlevents.responses.json_text import to_text
from mlevents.responses.response import Step


def perform_step(
    context: OrchestrationContext, document: dict[str, Any], step: Step, names: dict[str, Any]
) -> Course:
    """Perform one step to its end; raises StepFailedError, StepStoppedError or GateClosedError."""
    call = begin(document, step, **names)
    answer: Answer
    if not step["orchestrator"]:
        answer = yield from carry(context, call)
        return answer
    child = f"{context.instance_id}.{step['id']}"
    try:
        said = yield context.call_sub_orchestrator(
            step["orchestrator"], input=to_text(call), instance_id=child, version=context.version
        )
    except TaskFailedError as error:
        raise StepFailedError(f"{step['orchestrator']} broke off: {error.details.message}") from error
    answer = json.loads(said)
    raise_unless_done(answer)
    return answer


def raise_unless_done(answer: Answer) -> None:
    """Raise what a step's own orchestrator answers instead of a result."""
    if answer["kind"] == "stopped" and answer["gate"] != StepStoppedError.gate:
        raise GateClosedError(answer["gate"], answer["detail"])
    if answer["kind"] == "stopped":
        raise StepStoppedError(answer["detail"], answer["report"])
    if answer["kind"] == "failed":
        raise StepFailedError(answer["detail"], answer["report"])
