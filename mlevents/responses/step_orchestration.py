"""One step of a response: performed here or, when its action has its own orchestrator, in that.

An orchestrator of a step can end without an answer: terminated by an operator, changed by a release, or
because the answer of an entity could not be read. Then the traffic is put back by RestoreTraffic, and the
step has failed; unless it had completed, and only its answer was lost. Only the last of these causes is
worth another start: the worker died inside an entity operation, and the extension's answer is plain text
where durabletask expects JSON.
"""

import json
from collections.abc import Generator, Mapping
from typing import Any

from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.actions.deploy_model.restore_orchestrator import request
from mlevents.orchestration.function_names import RESTORE_TRAFFIC
from mlevents.orchestration.gating import GateClosedError
from mlevents.orchestration.response import Step
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_runner import (
    Answer,
    Course,
    StepFailedError,
    StepRefusedError,
    StepStoppedError,
    carry,
)
from mlevents.responses.step_input import begin
from mlevents.responses.traffic_notices import notices

STARTS = 3
"""How often one orchestrator is started where only the answers of its entities were lost."""


def perform_step(
    context: OrchestrationContext, document: Mapping[str, Any], step: Step, names: dict[str, Any]
) -> Course:
    """Perform one step to its end; raises StepFailedError, StepStoppedError or GateClosedError."""
    call = begin(document, step, **names)
    answer: Answer
    if not step["orchestrator"]:
        answer = yield from carry(context, call)
        return answer
    call["notices"] = notices(document, names["results"])
    holders: list[str] = []
    for start in range(1, STARTS + 1):
        holders.append(child_id(document, step, start))
        try:
            answer = yield from started(context, step["orchestrator"], to_text(call), holders[-1])
        except TaskFailedError as error:
            if start < STARTS and lost_an_entity_answer(error):
                continue
            back = yield from put_back_by_another(context, attempt_of(document), call, holders)
            if back.get("completed"):
                return back
            raise broken_off(call, back, error) from error
        if answer.get("unrestored"):
            raise (yield from unrestored(context, call, holders, answer))
        raise_unless_done(answer)
        return answer
    raise AssertionError("the last start ends the loop")


def child_id(document: Mapping[str, Any], step: Step, start: int = 1) -> str:
    """The instance id of a step's orchestrator: a response that is run again never meets an earlier one."""
    attempt = attempt_of(document)
    usual = f"{document['id']}.{step['id']}"
    return usual if (attempt, start) == (1, 1) else f"{usual}.{attempt}-{start}"


def started(
    context: OrchestrationContext, orchestrator: str, text: str, instance: str
) -> Generator[Any, Any, Answer]:
    """The answer of a sub-orchestration of this version; raises TaskFailedError."""
    said = yield context.call_sub_orchestrator(
        orchestrator, input=text, instance_id=instance, version=context.version
    )
    answer: Answer = json.loads(said)
    return answer


def lost_an_entity_answer(error: TaskFailedError) -> bool:
    """Whether an orchestration failed because durabletask could not read an entity's answer."""
    told = f"{error.details.error_type} {error.details.message} {error.details.stack_trace or ''}"
    return "JSONDecodeError" in told or "entity dispatch failed" in told


def broken_off(call: Mapping[str, Any], back: Answer, error: TaskFailedError) -> StepFailedError:
    """The failure of a step whose orchestrator ended without an answer, with the traffic put back."""
    reason = f"{call['step']['orchestrator']} broke off: {error.details.message}"
    return StepFailedError(f"{reason}; {back['detail']}", {**back["report"], "reason": reason})


def unrestored(
    context: OrchestrationContext, call: Mapping[str, Any], holders: list[str], answer: Answer
) -> Generator[Any, Any, StepFailedError]:
    """The failure of a step whose orchestrator could not put the traffic back itself."""
    back = yield from put_back_by_another(context, attempt_of(call), call, holders)
    report = {**answer["report"], **back["report"], "reason": answer["detail"]}
    return StepFailedError(f"{answer['detail']}; {back['detail']}", report)


def attempt_of(document: Mapping[str, Any]) -> int:
    """Which attempt of the response this is, counted from 1; `document` is its call or itself."""
    return int(document.get("response", document).get("attempt", 1))


def put_back_by_another(
    context: OrchestrationContext, attempt: int, call: Mapping[str, Any], holders: list[str]
) -> Generator[Any, Any, Answer]:
    """The answer of a RestoreTraffic for the last of these rollouts; it is started again where it is lost."""
    ended, reason = list(holders), ""
    for start in range(1, STARTS + 1):
        usual = f"{holders[-1]}.restore"
        instance = usual if (attempt, start) == (1, 1) else f"{usual}.{attempt}-{start}"
        try:
            return (yield from started(context, RESTORE_TRAFFIC, request(call, ended), instance))
        except TaskFailedError as error:
            reason = error.details.message
            ended.append(instance)
    return {"detail": f"the traffic could not be put back yet, and is tried again: {reason}", "report": {}}


def raise_unless_done(answer: Answer) -> None:
    """Raise what a step's own orchestrator answers instead of a result."""
    if answer["kind"] == "stopped" and answer["gate"] == StepRefusedError.gate:
        raise StepRefusedError(answer["detail"], answer["report"])
    if answer["kind"] == "stopped" and answer["gate"] != StepStoppedError.gate:
        raise GateClosedError(answer["gate"], answer["detail"])
    if answer["kind"] == "stopped":
        raise StepStoppedError(answer["detail"], answer["report"])
    if answer["kind"] == "failed":
        raise StepFailedError(answer["detail"], answer["report"])
