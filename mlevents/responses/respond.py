"""The orchestrator of a response: its steps in order, and what to do when one fails.

It has one boundary: every exception becomes the outcome `failed`; people are notified, and the outcome is
counted. Only errors of the replay itself (NonDeterminismError, JSONDecodeError of an entity's answer) come
from outside the generator and cannot be caught here; the sweeper handles those (see `sweeper`).
"""

import json
import logging
from dataclasses import replace
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents import telemetry
from mlevents.orchestration.durable import Durable
from mlevents.orchestration.messages import Failure, Response
from mlevents.orchestration.size_limits import REPORT_UNITS, cut_document
from mlevents.orchestration.step_errors import GateClosedError, StepFailedError, describe_fault
from mlevents.orchestration.step_plan import StepPlan
from mlevents.orchestration.step_record import ON_FAILURE
from mlevents.responses.deferral import DeferredStep, perform_or_defer
from mlevents.responses.gating import check_before_steps
from mlevents.responses.response_outcome import EventOutline, ResponseOutcome
from mlevents.responses.response_record import ResponseRecord
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
    record = ResponseRecord(context, response)
    try:
        if record.status == "running":
            yield from perform_steps(record)
        else:
            yield from only_notify(record)
        yield from complete_deferred(record)
    except Exception as error:  # noqa: BLE001 - the boundary of the steps
        yield from fail_response(record, error)
    record.publish()
    if not context.is_replaying:
        seconds = (context.current_utc_datetime - beginning).total_seconds()
        telemetry.report_end(response.trace, record.status, record.because, seconds)
    return record.final_outcome()


def fail_response(record: ResponseRecord, error: Exception) -> Durable[None]:
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


def only_notify(record: ResponseRecord) -> Durable[None]:
    """Perform no step of a settled response; until everyone is notified, it is running."""
    settled, record.status = record.status, "running"
    yield from recover_unfinished(record)
    if record.response.alert:
        yield from perform_on_failure(record, Failure(None, None, settled))
    record.end(settled)


def recover_unfinished(record: ResponseRecord) -> Durable[None]:
    """Put back what steps of earlier attempts left when they ended."""
    for request in record.response.unfinished:
        record.publish()
        recovered = yield from recover(record.context, record.response.attempt, request)
        record.reports[request.call.step.id] = recovered.report
        record.because = f"{record.because}; {recovered.detail}"


def perform_steps(record: ResponseRecord) -> Durable[None]:
    """The steps of `do`, in order, if no gate objects; the first that fails ends them."""
    response = record.response
    try:
        yield from check_before_steps(record.context, response)
    except GateClosedError as error:
        return stop_response(record, error)
    for number, step in enumerate(response.steps, start=1):
        record.update_step(step.id, "running")
        call = begin_call(response, step, record.results)
        try:
            answer = yield from perform_or_defer(record.context, call, response.steps[number:])
        except GateClosedError as error:
            record.update_step(step.id, "stopped", str(error))
            return stop_response(record, error)
        except StepFailedError as error:
            return (yield from fail_step(record, step, error))
        if isinstance(answer, DeferredStep):
            record.defer(answer)
            continue
        record.add_result(step.id, answer.result)
        record.update_step(step.id, answer.kind, answer.detail)
    record.end("done")
    return None


def stop_response(record: ResponseRecord, error: GateClosedError) -> None:
    """A gate objects: the response has stopped, and nobody needs to be notified."""
    record.because = f"{error.gate}: {error}"
    record.end("stopped")


def fail_step(record: ResponseRecord, step: StepPlan, error: StepFailedError) -> Durable[None]:
    """The steps of `on_failure` are performed for a step that failed, or that had to stop."""
    report = cut_document(error.report, REPORT_UNITS)
    if report:
        record.reports[step.id] = report
    record.update_step(step.id, error.kind, str(error))
    record.because = f"step '{step.id}': {error}"
    yield from perform_on_failure(record, Failure(step.id, step.uses, error.kind, report=report))
    record.end(error.kind)


def perform_on_failure(record: ResponseRecord, failure: Failure) -> Durable[None]:
    """The steps of `on_failure`, each performed though the one before it failed."""
    record.notified = True
    failure = replace(failure, message=record.because or "")
    for written in record.response.on_failure:
        step = replace(written, id=f"{ON_FAILURE}{written.id}")
        record.add_step(step)
        record.update_step(step.id, "running")
        try:
            call = begin_call(record.response, step, record.results, failure)
            answer = yield from perform_or_defer(record.context, call)
        except StepFailedError as error:
            record.update_step(step.id, "failed", str(error))
        except Exception as error:  # noqa: BLE001 - one receiver's fault never keeps the next from it
            record.update_step(step.id, "failed", describe_fault(error))
        else:
            if isinstance(answer, DeferredStep):
                record.defer(answer)
            else:
                record.update_step(step.id, answer.kind, answer.detail)


def complete_deferred(record: ResponseRecord) -> Durable[None]:
    """Resume the steps that waited long; until they have ended, the response is running.

    One that fails after all the others were done fails the response.
    """
    settled = record.status
    while record.deferred:
        deferred = record.deferred.pop(0)
        record.status = "running"
        try:
            answer = yield from deferred.resume()
        except StepFailedError as error:
            if settled == "done":
                yield from fail_step(record, deferred.step, error)
                settled = record.status
            else:
                record.update_step(deferred.step.id, "failed", str(error))
        else:
            record.update_step(deferred.step.id, answer.kind, answer.detail)
    record.status = settled
