"""The ends of steps that do not succeed, and what runs then: `on_failure`, and steps that waited long."""

from dataclasses import replace

from mlevents.orchestration.durable import Durable
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.messages import Failure
from mlevents.orchestration.size_limits import REPORT_UNITS, cut_document
from mlevents.orchestration.step_errors import GateClosedError, StepFailedError, describe_fault
from mlevents.orchestration.step_plan import StepPlan
from mlevents.orchestration.step_record import ON_FAILURE
from mlevents.responses.deferral import DeferredStep, perform_or_defer
from mlevents.responses.response_record import ResponseRecord
from mlevents.responses.step_input import begin_call


def stop_step(record: ResponseRecord, step: StepPlan, error: GateClosedError) -> None:
    """A gate objects to a step, or an operator cancels the response at it."""
    keep_report(record, step, error)
    record.update_step(step.id, "stopped", str(error))
    stop_response(record, error)


def stop_response(record: ResponseRecord, error: GateClosedError) -> None:
    """A gate objects: the response has stopped, and nobody needs to be notified."""
    record.because = f"{error.gate}: {error}"
    record.end("stopped")


def close_gate(record: ResponseRecord, error: GateClosedError) -> Durable[None]:
    """A gate objects before the first step; people are notified if it says so."""
    if not error.notify:
        return stop_response(record, error)
    record.because = f"{error.gate}: {error}"
    yield from perform_on_failure(record, Failure(None, None, "stopped"))
    record.end("stopped")
    return None


def fail_step(record: ResponseRecord, step: StepPlan, error: StepFailedError) -> Durable[None]:
    """The steps of `on_failure` are performed for a step that failed, or that had to stop."""
    report = keep_report(record, step, error)
    record.update_step(step.id, error.kind, str(error))
    record.because = f"step '{step.id}': {error}"
    yield from perform_on_failure(record, Failure(step.id, step.uses, error.kind, report=report))
    record.end(error.kind)


def keep_report(record: ResponseRecord, step: StepPlan, error: StepFailedError) -> Json:
    """Keep what a step reports that did not succeed; gives it, cut."""
    report = cut_document(error.report, REPORT_UNITS)
    if report:
        record.reports[step.id] = report
    return report


def perform_on_failure(record: ResponseRecord, failure: Failure) -> Durable[None]:
    """The steps of `on_failure`, each performed though the one before it failed."""
    record.begin_notification()
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
        except GateClosedError as error:
            stop_step(record, deferred.step, error)
            settled = record.status
        except StepFailedError as error:
            if settled == "done":
                yield from fail_step(record, deferred.step, error)
                settled = record.status
            else:
                record.update_step(deferred.step.id, "failed", str(error))
        else:
            record.update_step(deferred.step.id, answer.kind, answer.detail)
    record.status = settled
