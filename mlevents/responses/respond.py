"""The orchestrator of a response: its steps in order, and what to do when one fails.

It has one boundary: every exception becomes the outcome `failed`; people are notified, and the outcome is
counted. Only errors of the replay itself (NonDeterminismError, JSONDecodeError of an entity's answer) come
from outside the generator and cannot be caught here; the sweeper handles those (see `sweeper`).
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents import telemetry
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.messages import Call, Failure, Response
from mlevents.orchestration.step_errors import GateClosedError, StepFailedError, describe_fault
from mlevents.orchestration.step_plan import StepPlan
from mlevents.responses.deferral import DeferredStep, perform_or_defer
from mlevents.responses.gating import pass_gates
from mlevents.responses.held_response import is_asked_by_first_step, wait_for_release
from mlevents.responses.operated_response import OperatedResponse
from mlevents.responses.response_outcome import EventOutline, ResponseOutcome
from mlevents.responses.step_endings import (
    close_gate,
    complete_deferred,
    fail_step,
    perform_on_failure,
    stop_step,
)
from mlevents.responses.step_input import begin_call
from mlevents.responses.step_orchestration import recover

log = logging.getLogger("mlevents")


def respond_to_event(context: OrchestrationContext, text: str) -> Durable[dict[str, Any]]:
    """Complete one response, given as JSON text; it ends with an outcome, whatever is raised."""
    try:
        outcome = yield from complete_response(context, Response.from_json(json.loads(text)))
    except Exception as error:  # noqa: BLE001 - the boundary
        outcome = fail_without_notification(context, text, error)
    return outcome.to_json()


def complete_response(context: OrchestrationContext, response: Response) -> Durable[ResponseOutcome]:
    """Perform the response, and give its outcome."""
    beginning = context.current_utc_datetime
    if not context.is_replaying and response.attempt == 1:
        telemetry.count_start(response.trace, response.status)
    record = OperatedResponse(context, response)
    try:
        if record.status == "running":
            unless_held = is_asked_by_first_step(record)
            if unless_held or (yield from may_act(record)):
                yield from record.interruption.run(perform_steps(record, unless_held=unless_held))
        else:
            yield from only_notify(record)
        yield from record.interruption.run(complete_deferred(record))
    except Exception as error:  # noqa: BLE001 - the boundary of the steps
        yield from fail_response(record, error)
    record.close_log()
    record.publish()
    if not context.is_replaying:
        seconds = (context.current_utc_datetime - beginning).total_seconds()
        telemetry.report_end(response.trace, record.status, record.because, seconds)
    return record.final_outcome()


def may_act(record: OperatedResponse) -> Durable[bool]:
    """Wait for a release and pass the gates; says whether the response acts."""
    try:
        yield from wait_for_release(record)
        yield from pass_gates(record)
    except GateClosedError as error:
        yield from close_gate(record, error)
        return False
    except StepFailedError as error:
        record.because = str(error)
        yield from perform_on_failure(record, Failure(None, None, "failed"))
        record.end("failed")
        return False
    return True


def keep_results(record: OperatedResponse) -> tuple[StepPlan, ...]:
    """Take the first steps over from the attempt before, where a rerun says so; gives the others."""
    kept = record.response.kept
    for step, result in kept.items():
        record.add_result(step, result)
        record.update_step(step, "done", "kept from the attempt before")
    return record.response.steps[len(kept) :]


def fail_response(record: OperatedResponse, error: Exception) -> Durable[None]:
    """An error of ours ended the steps: people are notified as of a step that failed."""
    if not record.context.is_replaying:
        log.error("response %s: a fault in mlevents", record.response.id, exc_info=error)
    record.fail_running(describe_fault(error))
    if not record.notified and (record.status == "running" or record.response.alert):
        record.status = "running"
        yield from perform_on_failure(record, Failure(None, None, "failed"))
    record.end("failed")


def fail_without_notification(context: OrchestrationContext, text: str, error: Exception) -> ResponseOutcome:
    """The outcome of a response for which not even the notification could be completed."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    known = found if isinstance(found, dict) else {}
    event = known["event"] if isinstance(known.get("event"), dict) else {}
    outline = EventOutline(**{name: str(event.get(name) or "") for name in ("id", "type", "subject", "time")})
    rule = str(known["rule"]) if known.get("rule") else None
    outcome = ResponseOutcome(rule, outline, "failed", describe_fault(error), ())
    context.set_custom_status(outcome.to_json())
    if not context.is_replaying:
        log.error("response %s: a fault in mlevents", context.instance_id, exc_info=error)
        trace = telemetry.ResponseTrace(context.instance_id, rule, outline.id or "")
        telemetry.report_end(trace, "failed", describe_fault(error), 0.0)
    return outcome


def only_notify(record: OperatedResponse) -> Durable[None]:
    """Perform no step of a settled response; until everyone is notified, it is running."""
    settled, record.status = record.status, "running"
    yield from recover_unfinished(record)
    if record.response.alert:
        yield from perform_on_failure(record, Failure(None, None, settled))
    record.end(settled)


def recover_unfinished(record: OperatedResponse) -> Durable[None]:
    """Put back what steps of earlier attempts left when they ended."""
    for request in record.response.unfinished:
        record.publish()
        recovered = yield from recover(record.context, record.response.attempt, request)
        record.reports[request.call.step.id] = recovered.report
        record.because = f"{record.because}; {recovered.detail}"


def perform_steps(record: OperatedResponse, *, unless_held: bool) -> Durable[None]:
    """The steps of `do`, in order; the first that fails ends them. `unless_held` is for the first one."""
    answer: Answer | DeferredStep | None
    steps = keep_results(record)
    for number, step in enumerate(steps, start=1):
        try:
            yield from record.interruption.check()
            record.update_step(step.id, "running")
            call = begin_call(record.response, step, record.results)
            first = replace(call, unless_held=unless_held and number == 1)
            answer = yield from perform_or_defer(record.context, first, steps[number:])
            if is_held(answer):
                answer = yield from perform_after_release(record, call, steps[number:])
        except GateClosedError as error:
            return stop_step(record, step, error)
        except StepFailedError as error:
            return (yield from fail_step(record, step, error))
        if answer is None:
            return None
        record_answer(record, step, answer)
    record.end("done")
    return None


def record_answer(record: OperatedResponse, step: StepPlan, answer: Answer | DeferredStep) -> None:
    """Keep what a step left, or the step itself if it goes on later."""
    if isinstance(answer, DeferredStep):
        return record.defer(answer)
    record.add_result(step.id, answer.result)
    record.update_step(step.id, answer.kind, answer.detail)
    return None


def is_held(answer: Answer | DeferredStep) -> bool:
    """Whether the first attempt found that an operator holds the rule."""
    return isinstance(answer, Answer) and answer.kind is AnswerKind.HELD


def perform_after_release(
    record: OperatedResponse, call: Call, later: Sequence[StepPlan]
) -> Durable[Answer | DeferredStep | None]:
    """Wait until the response may act, and perform the step then; None when it must not act any more."""
    record.update_step(call.step.id, "waiting")
    if not (yield from may_act(record)):
        return None
    record.held_step = call.step.id
    record.update_step(call.step.id, "running")
    return (yield from perform_or_defer(record.context, call, later, start=2))
