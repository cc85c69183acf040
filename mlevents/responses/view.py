"""What people and programs see of a response: the body of `GET /api/responses`.

It is read from the custom status alone: inputs and outputs of thousands of orchestrations would not
pass through one gRPC answer.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from durabletask.client import OrchestrationState, OrchestrationStatus

from mlevents.responses.function_names import RESPOND_TO_EVENT

ENDED_BADLY = (OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED)
NOTHING_YET = {"rule": None, "event": dict.fromkeys(("id", "type", "subject", "time")), "because": None}


def views(
    states: Iterable[OrchestrationState], event_id: str | None = None, rule: str | None = None
) -> list[dict[str, Any]]:
    """The responses among these orchestrations, the newest first."""
    states = list(states)
    inner = {state.instance_id: said(state) for state in states if state.name != RESPOND_TO_EVENT}
    found = [view(state, inner) for state in states if state.name == RESPOND_TO_EVENT]
    wanted = [one for one in found if event_id in (None, one["event"]["id"]) and rule in (None, one["rule"])]
    return sorted(wanted, key=lambda one: (one["created"], one["id"]), reverse=True)


def one(state: OrchestrationState) -> dict[str, Any]:
    """One response alone: besides, what its steps reported and the event's text, where it was kept."""
    document = json.loads(state.get_input() or "{}")
    kept = state.get_output()
    reports = kept.get("reports", {}) if isinstance(kept, Mapping) else {}
    return {**view(state, {}), "reports": reports, "raw": document.get("raw")}


def view(state: OrchestrationState, inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One response; `inner` holds what its sub-orchestrations say, by instance id."""
    found = {**NOTHING_YET, "status": "running", "steps": [], **said(state)}
    steps = [dict(step) for step in found["steps"]]
    for step in steps:
        if step["status"] == "running":
            step["detail"] = inner.get(f"{state.instance_id}.{step['id']}", step).get("detail", "")
        told = inner.get(f"{state.instance_id}.{step['id']}", {})
        step |= {name: told[name] for name in ("phases", "log") if name in told}
    if state.runtime_status in ENDED_BADLY:
        why = state.failure_details.message if state.failure_details else str(state.runtime_status)
        found |= {"status": "failed", "because": f"the orchestration ended: {why}"}
    return {
        "id": state.instance_id,
        **{name: found[name] for name in ("rule", "event", "status", "because")},
        "steps": steps,
        "created": in_utc(state.created_at),
        "updated": in_utc(state.last_updated_at),
    }


def said(state: OrchestrationState) -> Mapping[str, Any]:
    """What an orchestration says of itself; nothing before its first turn."""
    status = state.get_custom_status()
    return status if isinstance(status, Mapping) else {}


def in_utc(moment: datetime) -> str:
    """ISO 8601 with `Z`, as events say it; durabletask's times are UTC and do not say so."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
