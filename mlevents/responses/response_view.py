"""What people and programs see of a response, made of the state of its orchestration.

The custom status says it, and listing reads nothing else. Where that is missing or has stopped short (before
the first turn, after a crash between two writes), the output says it, else the input: whoever lists fetches
those of these instances alone, because inputs and outputs of thousands do not pass through one gRPC answer.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from durabletask.client import OrchestrationState, OrchestrationStatus

from mlevents.canonical import canonical_resource_id
from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from mlevents.orchestration.start_policy import ENDED_BADLY
from mlevents.responses.custom_status import shown
from mlevents.responses.response_record import Line, first_lines
from mlevents.responses.sweep_decision import Change, Ended
from mlevents.services.sdk_errors import clean_text

UNDER_WAY = ("running", "waiting")
NOTHING_KNOWN: Mapping[str, Any] = {
    "rule": None,
    "event": dict.fromkeys(("id", "type", "subject", "time")),
    "topic": "",
    "status": "running",
    "because": None,
    "steps": [],
}
LONGEST_REASON = 500
NONE: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class View:
    """One response: `document` is the JSON that the API answers, `topic` its workspace's canonical id."""

    document: dict[str, Any]
    topic: str
    created: datetime


def is_response(state: OrchestrationState) -> bool:
    """Whether the orchestration is a response, and not a part of one."""
    return bool(state.name == RESPOND_TO_EVENT)


def needs_payloads(state: OrchestrationState) -> bool:
    """Whether the custom status is not enough, so that input and output must be fetched."""
    status = status_of(state)
    if state.runtime_status is OrchestrationStatus.COMPLETED:
        return status.get("status", "running") in UNDER_WAY
    return not status.get("status") or state.runtime_status in ENDED_BADLY


def view(state: OrchestrationState, parts: Mapping[str, Mapping[str, Any]] = NONE) -> View:
    """One response; `parts` holds the custom statuses of its sub-orchestrations, by instance id."""
    found = {**NOTHING_KNOWN, **known_of(state)}
    steps = [with_part(step, state.instance_id, parts) for step in found["steps"]]
    waiting = next((step["waiting"] for step in steps if "waiting" in step), None)
    if found["status"] == "running" and waiting:
        found |= {"status": "waiting", "because": waiting}
    if state.runtime_status in ENDED_BADLY:
        ended = ended_of(state, found["steps"])
        found |= {"status": "running" if ended.outlook else "failed", "because": ended.because}
        steps = [_broken_off(step, ended.change) for step in steps]
    document = {
        "id": state.instance_id,
        **{name: found[name] for name in ("rule", "event", "status", "because")},
        "steps": [{name: said for name, said in step.items() if name != "waiting"} for step in steps],
        "created": in_utc(state.created_at),
        "updated": in_utc(state.last_updated_at),
    }
    if "omitted" in found:
        document["steps_omitted"] = found["omitted"]
    return View(document, canonical_resource_id(str(found["topic"])), state.created_at.replace(tzinfo=UTC))


def details(state: OrchestrationState, parts: Mapping[str, Mapping[str, Any]] = NONE) -> dict[str, Any]:
    """One response alone: with its whole event, its steps' reports, and the text of one in quarantine."""
    document, output = input_of(state), output_of(state)
    found = view(state, parts).document
    event = {**found["event"], **document.get("event", {})}
    return {**found, "event": event, "reports": output.get("reports", {}), "raw": document.get("raw")}


def counted(found: View, count: int) -> View:
    """The refused events of a topic, of which the first is shown: with their count."""
    return replace(found, document=found.document | count_of(found.document, count))


def count_of(document: Mapping[str, Any], count: int) -> dict[str, Any]:
    """How many events a response stands for, and the reason in which it says so."""
    more = f"; {count - 1:,} more of this topic within the hour" if count > 1 else ""
    return {"because": f"{document['because']}{more}", "count": max(count, 1)}


def with_part(
    step: Mapping[str, Any], response_id: str, parts: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """A step with what its sub-orchestration says of it; that of its last attempt is the last of `parts`."""
    own = f"{response_id}.{step['id']}"
    tries = [said for name, said in parts.items() if f"{name}.".startswith(f"{own}.")]
    part = tries[-1] if tries else {}
    found = {**step, **{name: part[name] for name in ("phases", "log") if name in part}}
    if step["status"] == "running":
        found["detail"] = part.get("detail", step["detail"])
        if "waiting" in part:
            found["waiting"] = f"{part['waiting']}: {found['detail']}"
    return found


def ended_of(state: OrchestrationState, steps: Sequence[Mapping[str, Any]] = ()) -> Ended:
    """An orchestration that ended without an outcome; the sweeper decides what becomes of it."""
    terminated = state.runtime_status is OrchestrationStatus.TERMINATED
    return Ended(input_of(state), terminated, failure_text(state), steps)


def _broken_off(step: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """A step of an orchestration that has ended, as nothing more comes of it, or as it is run again."""
    over = {"running": "waiting"} if change == "rerun" else {"running": "failed", "waiting": "skipped"}
    return {**step, "status": over.get(step["status"], step["status"])}


def known_of(state: OrchestrationState) -> Mapping[str, Any]:
    """What the orchestration says of itself, the latest first: its output, its custom status, its input."""
    output, status = output_of(state), status_of(state)
    if output.get("status"):
        return output
    if status.get("status"):
        return status
    document = input_of(state)
    if not document:
        return {}
    return shown(document, "running", None, first_lines(document))


def lines_of(state: OrchestrationState) -> list[Line]:
    """The steps' lines in the record of one that has not completed, those of an earlier attempt too."""
    return list(status_of(state).get("steps") or first_lines(input_of(state)))


def status_of(state: OrchestrationState) -> Mapping[str, Any]:
    """The custom status; empty before the first turn."""
    return read_object(state.serialized_custom_status)


def output_of(state: OrchestrationState) -> Mapping[str, Any]:
    """The outcome that a completed orchestration returned, where it was fetched."""
    completed = state.runtime_status is OrchestrationStatus.COMPLETED
    return read_object(state.serialized_output) if completed else {}


def input_of(state: OrchestrationState) -> Mapping[str, Any]:
    """The response as it was started, where it was fetched."""
    return read_object(state.serialized_input)


def read_object(text: str | None) -> Mapping[str, Any]:
    """A JSON object, which JSON text may hold once more as text; empty for anything else.

    It is read without the durable library, which makes Python objects of maps that hold `__class__`.
    """
    found: Any = text
    for _ in range(2):
        try:
            found = json.loads(found) if isinstance(found, str) else found
        except ValueError:
            return {}
    return found if isinstance(found, Mapping) else {}


def failure_text(state: OrchestrationState) -> str:
    """Why an orchestration ended badly, in one line; what terminated it left the reason as its output."""
    if details := state.failure_details:
        said: Any = f"{details.error_type}: {details.message}"
    else:
        said = state.serialized_output or ""
        with suppress(ValueError):
            said = json.loads(said)
    return clean_text(" ".join(str(said or "").split()))[:LONGEST_REASON]


def in_utc(moment: datetime) -> str:
    """ISO 8601 with `Z`, as events say it; durabletask's times are UTC and do not say so."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
