"""The orchestrator of a response: its steps in order, and what to do when one fails.

It has one boundary: whatever is raised becomes the outcome `failed`, with people notified and the outcome
counted. Only errors of the replay itself (NonDeterminismError, JSONDecodeError of an entity's answer) come
from outside the generator and cannot be caught here; the sweeper handles those (see `sweeper`).
"""

import json
import logging
from collections.abc import Generator, Mapping
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents import telemetry
from mlevents.orchestration.gating import GateClosedError
from mlevents.orchestration.response import Step
from mlevents.orchestration.size_limits import REPORT_UNITS, RESULT_UNITS, cut_document
from mlevents.orchestration.step_runner import Course, StepFailedError, own_fault
from mlevents.responses.deferral import Deferred, complete_deferred, perform_or_defer
from mlevents.responses.gating import before_steps
from mlevents.responses.response_record import ON_FAILURE, Line, Record, entry
from mlevents.responses.step_orchestration import attempt_of, put_back_by_another

log = logging.getLogger("mlevents")


def respond_to_event(context: OrchestrationContext, text: str) -> Generator[Any, Any, Any]:
    """Complete one response, given as JSON text; it ends with an outcome, whatever is raised."""
    try:
        return (yield from complete(context, json.loads(text)))
    except Exception as error:  # noqa: BLE001 - the boundary
        return lost(context, text, error)


def complete(context: OrchestrationContext, document: dict[str, Any]) -> Generator[Any, Any, Any]:
    """Perform the response, and give its outcome."""
    beginning = context.current_utc_datetime
    if not context.is_replaying and attempt_of(document) == 1:
        telemetry.began(document)
    record = Record(context, document)
    try:
        if record.status == "running":
            yield from perform_steps(context, document, record)
        else:
            yield from only_notify(context, document, record)
        yield from complete_deferred(record, lambda what: step_failed(context, document, record, what))
    except Exception as error:  # noqa: BLE001 - the boundary of the steps
        yield from break_off(context, document, record, error)
    record.show()
    if not context.is_replaying:
        seconds = (context.current_utc_datetime - beginning).total_seconds()
        telemetry.ended(document, record.status, record.because, seconds)
    return record.whole()


def break_off(
    context: OrchestrationContext, document: dict[str, Any], record: Record, error: Exception
) -> Course:
    """An error of ours ended the steps: people are notified as of a step that failed."""
    if not context.is_replaying:
        log.error("response %s: a fault in mlevents", document["id"], exc_info=error)
    record.break_off(own_fault(error))
    if not record.notified and (record.status == "running" or document["alert"]):
        record.status = "running"
        yield from perform_on_failure(
            context, document, record, {"step": None, "uses": None, "status": "failed"}
        )
    record.end("failed")
    return {}


def lost(context: OrchestrationContext, text: str, error: Exception) -> dict[str, Any]:
    """The outcome of a response that not even the notification of could be completed."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    known = found if isinstance(found, dict) else {}
    event = known["event"] if isinstance(known.get("event"), dict) else {}
    names = {name: str(event.get(name) or "") for name in ("id", "type", "subject", "time")}
    rule = str(known["rule"]) if known.get("rule") else None
    outcome: dict[str, Any] = {
        "rule": rule,
        "event": names,
        "status": "failed",
        "because": own_fault(error),
        "steps": [],
    }
    context.set_custom_status(outcome)
    if not context.is_replaying:
        log.error("response %s: a fault in mlevents", context.instance_id, exc_info=error)
        telemetry.ended({**outcome, "id": context.instance_id}, "failed", own_fault(error), 0.0)
    return outcome


def only_notify(context: OrchestrationContext, document: dict[str, Any], record: Record) -> Course:
    """What is settled is not performed; until everyone is notified, it is running."""
    settled, record.status = record.status, "running"
    yield from put_back_unfinished(context, document, record)
    if document["alert"]:
        failure = {"step": None, "uses": None, "status": settled}
        yield from perform_on_failure(context, document, record, failure)
    record.end(settled)
    return {}


def put_back_unfinished(
    context: OrchestrationContext, document: dict[str, Any], record: Record
) -> Generator[Any, Any]:
    """Put back the traffic that rollouts of earlier attempts left when they ended."""
    for rollout in document.get("unfinished", ()):
        record.show()
        call, holders = rollout["call"], rollout["holders"]
        back = yield from put_back_by_another(context, attempt_of(document), call, holders)
        record.reports[call["step"]["id"]] = back["report"]
        record.because = f"{record.because}; {back['detail']}"


def perform_steps(context: OrchestrationContext, document: dict[str, Any], record: Record) -> Course:
    """The steps of `do`, in order, if no gate objects; the first that fails ends them."""
    try:
        yield from before_steps(context, document)
    except GateClosedError as error:
        return stopped_by(error, record)
    for step, line in list(zip(document["steps"], record.steps, strict=False)):
        record.note(line, "running")
        try:
            later = document["steps"][document["steps"].index(step) + 1 :]
            names = {"results": record.results}
            answer = yield from perform_or_defer(context, document, step, names, later)
        except GateClosedError as error:
            record.note(line, "stopped", str(error))
            return stopped_by(error, record)
        except StepFailedError as error:
            yield from step_failed(context, document, record, (step, line, error))
            return {}
        if isinstance(answer, Deferred):
            record.defer(step, line, answer)
            continue
        record.results[step["id"]] = cut_document(answer.get("result", {}), RESULT_UNITS)
        record.note(line, answer["kind"], answer["detail"])
    record.end("done")
    return {}


def stopped_by(error: GateClosedError, record: Record) -> Mapping[str, Any]:
    """A gate objects: the response has stopped, and nobody needs to be notified."""
    record.because = f"{error.gate}: {error}"
    record.end("stopped")
    return {}


def step_failed(
    context: OrchestrationContext,
    document: dict[str, Any],
    record: Record,
    what: tuple[Step, Line, StepFailedError],
) -> Course:
    """The steps of `on_failure` are performed for a step that failed, or that had to stop."""
    step, line, error = what
    status = error.status
    report = cut_document(error.report, REPORT_UNITS)
    if report:
        record.reports[step["id"]] = report
    record.note(line, status, str(error))
    record.because = f"step '{step['id']}': {error}"
    failure = {**report, "step": step["id"], "uses": step["uses"], "status": status}
    yield from perform_on_failure(context, document, record, failure)
    record.end(status)
    return {}


def perform_on_failure(
    context: OrchestrationContext, document: dict[str, Any], record: Record, failure: dict[str, Any]
) -> Course:
    """The steps of `on_failure`, each tried though the one before it failed."""
    record.notified = True
    failure = {**failure, "message": record.because or ""}
    for step in document["on_failure"]:
        line = entry(step, ON_FAILURE)
        record.add(line)
        record.note(line, "running")
        names = {"results": record.results, "failure": failure}
        try:
            answer = yield from perform_or_defer(context, document, {**step, "id": line["id"]}, names)
        except StepFailedError as error:
            record.note(line, "failed", str(error))
        except Exception as error:  # noqa: BLE001 - one receiver's fault never keeps the next from it
            record.note(line, "failed", own_fault(error))
        else:
            if isinstance(answer, Deferred):
                record.defer(step, line, answer)
            else:
                record.note(line, answer["kind"], answer["detail"])
    return {}
