"""The orchestrator of a deployment: either all traffic is on the new one, or all is as it was.

Read from top to bottom, it is the course of a rollout; docs/rollouts.md draws it. The endpoint's lease is
held throughout, so that responses which change one endpoint take turns. What is needed to put the traffic
back is kept with the lease, so that another orchestration can do it if this one ends before.
"""

import json
import logging
from collections.abc import Generator, Mapping
from typing import Any

from durabletask.task import OrchestrationContext, TaskFailedError

from mlevents.actions.deploy_model.phases import TIMEOUTS, Run, watch
from mlevents.actions.deploy_model.rollback import (
    UnrestoredError,
    completion_of,
    go_back,
    has_completed,
    put_back,
    record_of,
)
from mlevents.gates.order import Order
from mlevents.orchestration.gating import GateClosedError, at_endpoint
from mlevents.orchestration.lease import Lease, LeaseLostError
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.step_runner import (
    DEFAULT_TIMEOUT,
    Answer,
    Course,
    StepFailedError,
    StepStoppedError,
    own_fault,
)

RESULT = ("endpoint", "deployment", "model", "scoring_uri", "traffic", "before", "studio")

log = logging.getLogger("mlevents")


def roll_out_model(context: OrchestrationContext, text: str) -> Generator[Any, Any, str]:
    """Complete a `deploy_model` step, given as JSON text; gives its answer as JSON text in any case."""
    run = Run(context, json.loads(text))
    try:
        answer = yield from in_turn(context, run)
    except StepFailedError as error:
        answer = {**run.ended(error), "unrestored": isinstance(error, UnrestoredError)}
    except Exception as error:  # the boundary
        if not context.is_replaying:
            log.exception("rollout %s: a fault in mlevents", context.instance_id)
        answer = run.ended(StepFailedError(own_fault(error)))
    return to_text(answer)


def in_turn(context: OrchestrationContext, run: Run) -> Course:
    """Find the endpoint, wait for its lease, and give the lease back at the end."""
    place = yield from run.verb("locate")
    if place["kind"] == "skipped":
        return place
    run.progress |= place["result"]
    order = (run.call["response"].get("gates") or {}).get("order")
    lease = Lease(context, place["result"]["lock"], order)
    unfinished = yield from lease.acquire(run.call["step"]["timeout"] or DEFAULT_TIMEOUT, run.wait)
    try:
        answer = yield from with_lease(context, run, lease, unfinished)
    except UnrestoredError:
        raise  # the lease is kept with its record, for the orchestration that restores the traffic
    except Exception:
        yield from lease.release()
        raise
    yield from lease.release()
    return answer


def with_lease(
    context: OrchestrationContext, run: Run, lease: Lease, unfinished: Mapping[str, Any] | None
) -> Course:
    """Put back what an ended rollout left, and go on if no gate objects by now."""
    if unfinished is not None and has_completed(unfinished):
        if is_of(unfinished, run):
            run.progress, run.phases = dict(unfinished["progress"]), list(unfinished["phases"])
            return (yield from completed(run, unfinished["answer"]))
    elif unfinished is not None:
        yield from put_back(context, unfinished)
        yield from lease.renew(DEFAULT_TIMEOUT, None)
    if lease.order:
        yield from give_way(lease)
        run.progress["order"] = lease.order
    yield from at_endpoint(context, run.call)
    return (yield from roll_out(context, run, lease))


def is_of(record: Mapping[str, Any], run: Run) -> bool:
    """Whether this record was left by an earlier start of the same rollout."""
    found = record["call"]
    return (found["response"]["id"], found["step"]["id"]) == (
        run.call["response"]["id"],
        run.call["step"]["id"],
    )


def give_way(lease: Lease) -> Generator[Any, Any]:
    """Raise GateClosedError when a newer version waits for the same endpoint, and its response still runs."""
    order = Order.model_validate(lease.order)
    view = yield from lease.look()
    newer = yield from lease.alive(
        [one for one in view["waiting"] if "by" in one and order.superseded([one])]
    )
    if superseded := order.superseded(newer):
        raise GateClosedError("order", superseded)


def roll_out(context: OrchestrationContext, run: Run, lease: Lease) -> Course:
    """Endpoint, deployment, the phases of the plan; whatever goes wrong puts the traffic back."""
    answer: Answer = {}
    try:
        yield from run.phase("endpoint", "ensure_endpoint")
        yield from lease.renew(planned_seconds(run, "create_deployment", "follow_deployment"), record_of(run))
        yield from run.phase("deployment", "create_deployment", "follow_deployment")
        for number, phase in enumerate(run.progress["plan"]):
            run.progress["phase"] = number
            yield from lease.renew(planned_seconds(run, phase["verb"], phase=phase), record_of(run))
            answer = yield from run.phase(phase["name"], phase["verb"], limit=phase.get("timeout"))
            yield from watch(context, run, phase)
        result = {name: run.progress[name] for name in RESULT if name in run.progress}
        answer = {**answer, "result": result}
        yield from lease.renew(DEFAULT_TIMEOUT, completion_of(run, answer))
    except LeaseLostError:
        raise  # whoever has the endpoint now puts the traffic back
    except Exception as error:
        if "before" not in run.progress:
            raise
        raise (yield from undone(context, run, lease, error)) from error
    return (yield from completed(run, answer))


def completed(run: Run, answer: Answer) -> Course:
    """Retire what is no longer needed; may be done twice."""
    retired = yield from run.tried("retired", "retire")
    return {**answer, "result": {**answer["result"], "phases": run.phases, "retired": retired}}


def planned_seconds(run: Run, *verbs: str, phase: Mapping[str, Any] | None = None) -> float:
    """How many seconds these verbs, and the watching of a phase, may take in all."""
    known = run.progress["timeouts"]
    limits = [known.get(TIMEOUTS[verb]) if verb in TIMEOUTS else None for verb in verbs]
    watched = run.longest(phase) if phase else 0.0
    return sum(limit or DEFAULT_TIMEOUT for limit in limits) + watched


def undone(
    context: OrchestrationContext, run: Run, lease: Lease, error: Exception
) -> Generator[Any, Any, StepFailedError]:
    """The traffic as it was, the log of what failed, and the error that tells all of it."""
    cause = error if isinstance(error, StepFailedError) else StepFailedError(own_fault(error))
    run.say(f"going back: {cause}")
    try:
        yield from lease.renew(None, record_of(run))
    except TaskFailedError:
        run.say(f"going back without a renewed lease: {cause}")
    restored, left = yield from go_back(context, run)
    run.report |= {"restored": restored, "left": left, "reason": str(cause)}
    text = f"{cause}; {restored}; {left}"
    return StepStoppedError(text) if isinstance(cause, StepStoppedError) else StepFailedError(text)
