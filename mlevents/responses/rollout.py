"""The orchestrator of a deployment: either all traffic is on the new one, or all is as it was."""

import json
from collections.abc import Generator
from typing import Any

from durabletask.entities import EntityInstanceId
from durabletask.task import OrchestrationContext

from mlevents.responses.carry import Answer, Call, Course, StepFailedError, carry

STUBBORN = 1000
"""Attempts to restore the traffic: an endpoint left half-way is worse than a long wait."""


def rollout(context: OrchestrationContext, text: str) -> Generator[Any, Any, str]:
    """Hold the endpoint's lock, so that responses which change one endpoint take turns."""
    return json.dumps((yield from locked(context, json.loads(text))))


def locked(context: OrchestrationContext, call: Call) -> Course:
    """Find the endpoint, take its lock, deploy."""
    try:
        place = yield from verb(context, call, "locate")
        if place["kind"] == "skipped":
            return place
        with (yield context.lock_entities([EntityInstanceId("endpoint", place["result"]["lock"])])):
            return (yield from deploy(context, call, place["result"]))
    except StepFailedError as error:
        return {"kind": "failed", "detail": str(error)}


def deploy(context: OrchestrationContext, call: Call, progress: dict[str, Any]) -> Course:
    """Endpoint, deployment without traffic, all traffic; a failure puts the traffic back."""
    answer: Answer = {}
    for name in ("ensure_endpoint", "create_deployment", "follow_deployment", "shift_traffic"):
        try:
            answer = yield from verb(context, {**call, "progress": progress}, name)
        except StepFailedError as error:
            if "before" not in progress:
                raise
            restored = yield from restore(context, {**call, "progress": progress})
            raise StepFailedError(f"{error}; {restored}") from error
        progress = {**progress, **answer["result"]}
    return {**answer, "result": progress}


def restore(context: OrchestrationContext, call: Call) -> Generator[Any, Any, str]:
    """Put the previous traffic map back, as stubbornly as the step's timeout allows."""
    retry = {**call["step"]["retry"], "attempts": STUBBORN}
    call = {**call, "step": {**call["step"], "retry": retry}}
    try:
        answer = yield from verb(context, call, "restore_traffic")
    except StepFailedError as error:
        return f"the previous traffic {call['progress']['before']} could NOT be restored: {error}"
    return str(answer["detail"])


def verb(context: OrchestrationContext, call: Call, name: str) -> Course:
    """One verb of the action, carried to its end and shown in the custom status."""
    context.set_custom_status({"detail": name.replace("_", " ")})
    answer = yield from carry(context, {**call, "verb": name})
    context.set_custom_status({"detail": answer["detail"][:300]})
    return answer
