"""The activity: one attempt at one step, its errors turned into an answer."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from mlevents import telemetry
from mlevents.actions.action import Done, Outcome, StepContext, action
from mlevents.errors import ActionError, ConfigError, StoppedError, TransientError
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.orchestration.response import Response
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.size_limits import cut_answer
from mlevents.responses.step_key import step_key
from mlevents.services.sdk_errors import clean_text
from mlevents.services.services import Services
from mlevents.settings import Settings

log = logging.getLogger("mlevents")


def perform(text: str, settings: Settings) -> str:
    """One attempt, from JSON text to JSON text; see `answer`.

    It may run any number of times for one step: durable activities run at least once.
    """
    call = json.loads(text)
    with telemetry.attempt(call) as attempt:
        said = answer(call, settings)
        attempt.outcome = said["kind"]
    return to_text(cut_answer(said))


def answer(
    call: Mapping[str, Any], settings: Settings, opened: Callable[..., Services] = Services
) -> dict[str, Any]:
    """What came of it; its `kind` is done, skipped, pending, transient, stopped, refused or failed.

    `opened` makes the services of a response from the settings, its connections and its files.
    """
    try:
        response = Response.from_json(call["response"])
        return answer_of(outcome(call, response, opened(settings, response.connections, response.files)))
    except TransientError as error:
        waiting = {"retry_after": error.retry_after, "busy": error.busy}
        return {"kind": "transient", "detail": clean_text(str(error)), **waiting}
    except StoppedError as error:
        return {"kind": error.kind, "detail": clean_text(str(error))}
    except (ActionError, ConfigError, ExpressionError) as error:
        return {"kind": "failed", "detail": clean_text(str(error))}
    except ValidationError as error:
        return {"kind": "failed", "detail": clean_text(misfit(error))}
    except Exception as error:  # the boundary: a fault of ours ends a step, not the worker
        log.exception("response %s step %s: a fault in mlevents", call["response"]["id"], call["step"]["id"])
        return {
            "kind": "failed",
            "detail": clean_text(f"a fault in mlevents: {type(error).__name__}: {error}"),
        }


def outcome(call: Mapping[str, Any], response: Response, services: Services) -> Outcome | None:
    """What the action says; None when the step's `if` does not hold."""
    step = call["step"]
    names = {**response.event.names, "steps": call["results"]}
    if call.get("failure"):
        names["failure"] = {**call["failure"], "rule": response.rule, "response": response.id}
    if step["if"] is not None and not render_value(step["if"], names):
        return None
    chosen = action.find(step["uses"])
    names = dict(chosen.readable(names, step["with"]))
    if call["verb"] not in chosen.verbs:
        raise ValueError(f"'{step['uses']}' has no verb '{call['verb']}'")
    verb = getattr(chosen.model_validate(render_value(step["with"], names)), call["verb"])
    result: Outcome = verb(context_of(call, response, services, names), services)
    return result


def context_of(
    call: Mapping[str, Any], response: Response, services: Services, names: Mapping[str, Any]
) -> StepContext:
    """What the action gets to know of its step; `names` are those that its expressions may read."""
    step = call["step"]
    return StepContext(
        id=response.id,
        rule=response.rule or "",
        step=step["id"],
        key=step_key(services.settings.secret, response.id, step["id"]),
        event=response.event,
        names=names,
        progress=call["progress"],
        depth=response.depth,
        retry=step.get("retry") or {},
        written=step["with"],
        fill=lambda value: render_value(value, names),
    )


def answer_of(outcome: Outcome | None) -> dict[str, Any]:
    """An outcome as JSON."""
    if outcome is None:
        return {"kind": "skipped", "detail": "its `if` does not hold", "result": {}}
    if isinstance(outcome, Done):
        return {"kind": "done", "detail": outcome.detail, "result": dict(outcome.result)}
    progress = dict(outcome.progress)
    exact = {"exact": True} if outcome.exact else {}
    return {
        "kind": "pending",
        "detail": outcome.detail,
        "after": outcome.after,
        "progress": progress,
        **exact,
    }


def misfit(error: ValidationError) -> str:
    """Values that turned out, once filled in, not to fit the action's parameters."""
    return "; ".join(
        f"with.{'.'.join(map(str, e['loc']))}: {e['msg']}, found {e['input']!r:.200}" for e in error.errors()
    )
