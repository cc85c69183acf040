"""What people and programs see of a response: the body of `GET /api/responses`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from durabletask.client import OrchestrationState, OrchestrationStatus

ENDED_BADLY = (OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED)


def views(
    states: Iterable[OrchestrationState], event_id: str | None = None, rule: str | None = None
) -> list[dict[str, Any]]:
    """The responses among these orchestrations, the newest first."""
    states = list(states)
    inner = {state.instance_id: shown(state) for state in states if state.name != "response"}
    found = [view(state, inner) for state in states if state.name == "response"]
    wanted = [
        one
        for one in found
        if (event_id is None or one["event"]["id"] == event_id) and (rule is None or one["rule"] == rule)
    ]
    return sorted(wanted, key=lambda one: (one["created"], one["id"]), reverse=True)


def view(state: OrchestrationState, inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One response; `inner` holds what its sub-orchestrations show, by instance id."""
    document = json.loads(state.get_input() or "{}")
    status = shown(state)
    event = document.get("event", {})
    steps = [dict(step) for step in status.get("steps", [])]
    for step in steps:
        if step["status"] == "running":
            step["detail"] = inner.get(f"{state.instance_id}.{step['id']}", step).get("detail", "")
    return {
        "id": state.instance_id,
        "rule": document.get("rule"),
        "event": {name: event.get(name) for name in ("id", "type", "subject", "time")},
        "status": status.get("status", "running"),
        "because": status.get("because"),
        "steps": steps,
        "created": state.created_at.isoformat(),
        "updated": state.last_updated_at.isoformat(),
    }


def shown(state: OrchestrationState) -> Mapping[str, Any]:
    """What an orchestration says of itself: its outcome, or its custom status on the way there."""
    if state.runtime_status in ENDED_BADLY:
        why = state.failure_details.message if state.failure_details else str(state.runtime_status)
        return {"status": "failed", "because": f"the orchestration ended: {why}", "steps": []}
    said = state.get_output() or state.get_custom_status()
    return said if isinstance(said, Mapping) else {}
