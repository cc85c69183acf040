"""The orchestrator of a deployment: either all traffic is on the new one, or all is as it was.

Read from top to bottom, it is the course of a rollout; docs/rollouts.md draws it. The endpoint's lock is
held throughout, so that responses which change one endpoint take turns.
"""

import json
from collections.abc import Generator
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext

from mlevents.gates.order import Order
from mlevents.responses.carry import Answer, Course, StepFailedError, StepStoppedError
from mlevents.responses.function_names import ENDPOINT_LEASE
from mlevents.responses.gating import GateClosedError, under_lock
from mlevents.responses.json_text import to_text
from mlevents.responses.rollout_phases import Run, restore, watch

RESULT = ("endpoint", "deployment", "model", "scoring_uri", "traffic", "before", "studio")


def roll_out_model(context: OrchestrationContext, text: str) -> Generator[Any, Any, str]:
    """Carry a `deploy_model` step, given as JSON text, through; gives its answer as JSON text."""
    run = Run(context, json.loads(text))
    try:
        answer = yield from in_turn(context, run)
    except StepFailedError as error:
        answer = run.ended(error)
    return to_text(answer)


def in_turn(context: OrchestrationContext, run: Run) -> Course:
    """Find the endpoint, wait for its lock, and go on if no gate objects by then."""
    place = yield from run.verb("locate")
    if place["kind"] == "skipped":
        return place
    run.progress |= place["result"]
    run.say(f"waiting for its turn at endpoint '{place['result']['endpoint']}'")
    endpoint = EntityInstanceId(ENDPOINT_LEASE, place["result"]["lock"])
    order = (run.call["response"].get("gates") or {}).get("order")
    ticket = json.dumps({**(order or {}), "id": context.instance_id})
    if order:
        yield context.call_entity(endpoint, "join", ticket)
    with (yield context.lock_entities([endpoint])):
        if order:
            waiting = yield context.call_entity(endpoint, "leave", ticket)
            give_way(Order.model_validate(order), waiting)
            run.progress["order"] = order
        yield from under_lock(context, run.call)
        return (yield from roll_out(context, run))


def give_way(order: Order, waiting: str) -> None:
    """Raise GateClosedError when a newer version waits for the same endpoint."""
    if superseded := order.superseded(json.loads(waiting)):
        raise GateClosedError("order", superseded)


def roll_out(context: OrchestrationContext, run: Run) -> Course:
    """Endpoint, deployment, the phases of the plan; whatever goes wrong puts the traffic back."""
    answer: Answer = {}
    try:
        yield from run.phase("endpoint", "ensure_endpoint")
        yield from run.phase("deployment", "create_deployment", "follow_deployment")
        for number, phase in enumerate(run.progress["plan"]):
            run.progress["phase"] = number
            answer = yield from run.phase(phase["name"], phase["verb"], limit=phase.get("timeout"))
            yield from watch(context, run, phase)
    except StepFailedError as error:
        if "before" not in run.progress:
            raise
        raise (yield from undone(context, run, error)) from error
    retired = yield from run.tried("retired", "retire")
    result = {name: run.progress[name] for name in RESULT if name in run.progress}
    return {**answer, "result": {**result, "phases": run.phases, "retired": retired}}


def undone(
    context: OrchestrationContext, run: Run, error: StepFailedError
) -> Generator[Any, Any, StepFailedError]:
    """The traffic as it was, the log of what failed, and the error that tells of all of it."""
    run.say(f"going back: {error}")
    restored = yield from restore(context, run)
    left = yield from run.tried("clean-up", "discard")
    run.report |= {"restored": restored, "left": left, "reason": str(error)}
    told = f"{error}; {restored}; {left}"
    return StepStoppedError(told) if isinstance(error, StepStoppedError) else StepFailedError(told)
