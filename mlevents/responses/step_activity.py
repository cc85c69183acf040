"""The activity: makes one attempt at one step, and turns its errors into an answer."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from durabletask.client import TaskHubGrpcClient
from pydantic import ValidationError

from mlevents import telemetry
from mlevents.actions.action import Action, Done, Outcome, Pending, StepContext, action
from mlevents.errors import (
    ActionError,
    ConfigError,
    PermanentError,
    RefusedError,
    StoppedError,
    TransientError,
)
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.gates.gate import gate
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.endpoint_lease import find_loss
from mlevents.orchestration.messages import Call
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.size_limits import cut_answer
from mlevents.orchestration.step_errors import describe_fault
from mlevents.registry import UnknownNameError
from mlevents.responses.holds import may_wait
from mlevents.responses.step_key import step_key
from mlevents.responses.step_names import find_step_names
from mlevents.services.sdk_errors import clean_text
from mlevents.services.services import Services
from mlevents.settings import Settings

log = logging.getLogger("mlevents")
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds that an attempt waits between two looks: 15 in all, so that an operator's verb waits no longer."""
REMOVED_REMEDY = "the response began when the app had it: deploy its extension again, then rerun the response"


def perform(text: str, settings: Settings, client: TaskHubGrpcClient) -> str:
    """One attempt, from JSON text to JSON text; see `attempt_call`.

    It may run any number of times for one step: durable activities run at least once.
    """
    call = Call.from_json(json.loads(text))
    if objection := find_objection(call, client):
        return to_text(objection.to_json())
    step = telemetry.StepTrace(call.step.id, call.step.uses)
    with telemetry.trace_attempt(call.response.trace, step, call.verb) as attempt:
        answer = attempt_call(call, settings)
        attempt.outcome = answer.kind
    return to_text(cut_answer(answer).to_json())


def find_objection(call: Call, client: TaskHubGrpcClient) -> Answer | None:
    """Why nothing is performed, where the call asks to look first in the task hub."""
    if call.unless_held and may_wait(client, call.response.rule):
        return Answer(AnswerKind.HELD, "the rule is held")
    if call.lease and (loss := find_loss(client, call.lease)):
        return Answer(AnswerKind.LOST, loss)
    return None


def attempt_call(call: Call, settings: Settings, opened: Callable[..., Services] = Services) -> Answer:
    """What came of one attempt; never raises.

    `opened` makes the services of a response from the settings, its connections and its files.
    """
    response, step, _ = call.identity

    def perform_attempt() -> Answer:
        services = opened(settings, call.response.connections, call.response.files)
        return perform_patiently(call, services)

    return catch_errors(f"response {response} step {step}", perform_attempt)


def catch_errors(name: str, perform: Callable[[], Answer]) -> Answer:
    """The answer, or the one that says what was raised; `name` is for the log."""
    try:
        return perform()
    except TransientError as error:
        detail = clean_text(str(error))
        return Answer(AnswerKind.TRANSIENT, detail, retry_after=error.retry_after, busy=error.busy)
    except StoppedError as error:
        return Answer(AnswerKind(error.kind), clean_text(str(error)))
    except (ActionError, ConfigError, ExpressionError) as error:
        report = error.report if isinstance(error, RefusedError) else {}
        return Answer(AnswerKind.FAILED, clean_text(str(error)), report=report)
    except ValidationError as error:
        return Answer(AnswerKind.FAILED, clean_text(describe_invalid_parameters(error)))
    except Exception as error:  # the boundary: a fault of ours ends a step, not the worker
        log.exception("%s: a fault in mlevents", name)
        return Answer(AnswerKind.FAILED, clean_text(describe_fault(error)))


def perform_patiently(call: Call, services: Services) -> Answer:
    """The answer of the action's verb, which is repeated while it is pending for a brief time.

    Another attempt would cost a timer and an activity. An attempt that is lost while it waits is repeated as
    any other one is.
    """
    waited, outcome = 0.0, perform_verb(call, services)
    for pause in PAUSES:
        if not (isinstance(outcome, Pending) and outcome.brief):
            break
        services.pause(pause)
        waited, call = waited + pause, replace(call, progress=outcome.progress)
        outcome = perform_verb(call, services)
    return replace(answer_of(outcome), waited=waited)


def perform_verb(call: Call, services: Services) -> Outcome | None:
    """The outcome of the action's verb; None when the step's `if` does not hold."""
    step, names = call.step, find_step_names(call, services.settings)
    if step.if_ is not None and not render_value(step.if_, names):
        return None
    chosen = find_step_action(call)
    names = dict(chosen.present_names(names, step.with_))
    verb = chosen.verbs(call.verb)
    perform = getattr(chosen.model_validate(render_value(step.with_, names)), verb)
    outcome: Outcome = perform(context_of(call, services, names), services)
    return outcome


def find_step_action(call: Call) -> type[Action]:
    """The action of a step that begins or goes on; raises PermanentError for what has been removed since.

    A gate is missed only by the first verb of a step in `do`: later ones may have something to restore.
    """
    try:
        found = action.find(call.step.uses)
    except UnknownNameError as error:
        raise PermanentError(f"{error}: {REMOVED_REMEDY}") from error
    if call.failure is None and call.verb == next(iter(found.verbs)):
        for name in call.response.gates:
            if name not in gate:
                raise PermanentError(f"unknown gate '{name}': {REMOVED_REMEDY}")
    return found


def context_of(call: Call, services: Services, names: dict[str, Any]) -> StepContext:
    """What the action knows of its step; `names` are those that its expressions may read."""
    response, step = call.response, call.step
    return StepContext(
        id=response.id,
        rule=response.rule or "",
        step=step.id,
        key=step_key(services.settings.secret, response.id, step.id, response.reruns),
        event=response.event,
        names=names,
        progress=call.progress,
        depth=response.depth,
        retry=step.retry,
        written=step.with_,
        fill=lambda value: render_value(value, names),
    )


def answer_of(outcome: Outcome | None) -> Answer:
    """The answer that says what an action's outcome says."""
    if outcome is None:
        return Answer(AnswerKind.SKIPPED, "its `if` does not hold")
    if isinstance(outcome, Done):
        return Answer(AnswerKind.DONE, outcome.detail, result=dict(outcome.result))
    return Answer(
        AnswerKind.PENDING,
        outcome.detail,
        after=outcome.after,
        progress=dict(outcome.progress),
        exact=outcome.exact,
        awaits=outcome.awaits,
    )


def describe_invalid_parameters(error: ValidationError) -> str:
    """Which values, once filled in, do not fit the action's parameters."""
    return "; ".join(
        f"with.{'.'.join(map(str, e['loc']))}: {e['msg']}, found {e['input']!r:.200}" for e in error.errors()
    )
