"""One step of a response: performed here or, when its action has its own orchestrator, by that.

An orchestrator of a step can end without an answer: terminated by an operator, changed by a release, or
because the answer of an entity could not be read. Then its recovery restores what it changed, and the step
has failed, unless it had completed and only its answer was lost. Only the last of these causes is worth
another start: the worker died inside an entity operation, and the extension answers with plain text, but
durabletask expects JSON.
"""

import json
from dataclasses import replace

from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.json_message import JsonMessage
from mlevents.orchestration.messages import Call, RecoveryRequest
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.start_id import start_id
from mlevents.orchestration.step_errors import StepFailedError, raise_unless_successful
from mlevents.orchestration.step_plan import StepOrchestration
from mlevents.orchestration.step_runner import run_step
from mlevents.responses.response_id import part_id

STARTS = 3
"""How often one orchestrator is started where only the answers of its entities were lost."""


def perform_step(context: OrchestrationContext, call: Call, start: int = 1) -> Durable[Answer]:
    """Perform one step to its end; raises StepFailedError, StepStoppedError or GateClosedError.

    `start` counts the starts of the step's own orchestrator: one that found the rule held was the first.
    """
    if call.step.orchestration is None:
        return (yield from run_step(context, call))
    return (yield from _orchestrate(context, call, call.step.orchestration, start))


def _orchestrate(
    context: OrchestrationContext, call: Call, orchestration: StepOrchestration, first_start: int
) -> Durable[Answer]:
    attempt, last_start = call.response.attempt, first_start + STARTS - 1
    holders: tuple[str, ...] = ()
    for start in range(first_start, last_start + 1):
        first = part_id(call.response.id, call.step.id, call.response.reruns)
        instance = start_id(first, attempt, start)
        holders = (*holders, instance)
        try:
            answer = yield from call_orchestrator(context, orchestration.name, call, instance)
        except TaskFailedError as error:
            call = replace(call, unless_held=False)  # it may have begun to act
            if start < last_start and has_lost_entity_answer(error):
                continue
            recovered = yield from recover(context, attempt, RecoveryRequest(call, holders))
            if recovered.completed:
                return recovered
            reason = f"{orchestration.name} ended without an answer: {error.details.message}"
            raise _failure(reason, recovered) from error
        if answer.unrestored:
            recovered = yield from recover(context, attempt, RecoveryRequest(call, holders))
            raise _failure(answer.detail, recovered, answer)
        raise_unless_successful(answer)
        return answer
    raise AssertionError("the last start ends the loop")


def recover(context: OrchestrationContext, attempt: int, request: RecoveryRequest) -> Durable[Answer]:
    """Put back what these orchestrations of a step left; the recovery is started again where it is lost.

    `attempt` is the response's: one that is run again never meets an earlier instance.
    """
    orchestration = request.call.step.orchestration
    assert orchestration, "only a step with an orchestrator of its own has something to recover"
    first, reason = f"{request.holders[-1]}.restore", ""
    for start in range(1, STARTS + 1):
        instance = start_id(first, attempt, start)
        try:
            return (yield from call_orchestrator(context, orchestration.recovery, request, instance))
        except TaskFailedError as error:
            reason = error.details.message
            request = RecoveryRequest(request.call, (*request.holders, instance))
    detail = f"what {orchestration.name} changed could not be put back yet, and is tried again: {reason}"
    return Answer(AnswerKind.DONE, detail)


def call_orchestrator(
    context: OrchestrationContext, name: str, message: JsonMessage, instance: str
) -> Durable[Answer]:
    """The answer of a sub-orchestration of this version; raises TaskFailedError."""
    text = yield context.call_sub_orchestrator(
        name, input=to_text(message.to_json()), instance_id=instance, version=context.version
    )
    return Answer.from_json(json.loads(text))


def has_lost_entity_answer(error: TaskFailedError) -> bool:
    """Whether an orchestration failed because durabletask could not read an entity's answer."""
    text = f"{error.details.error_type} {error.details.message} {error.details.stack_trace or ''}"
    return "JSONDecodeError" in text or "entity dispatch failed" in text


def _failure(reason: str, recovered: Answer, answer: Answer | None = None) -> StepFailedError:
    """The failure of a step whose orchestrator left the restoring to its recovery."""
    report = {**(answer.report if answer else {}), **recovered.report, "reason": reason}
    return StepFailedError(f"{reason}; {recovered.detail}", report)
