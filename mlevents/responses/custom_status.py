"""The custom status of a response's orchestration: what the API shows of it, within 16 KB in every case."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlevents.orchestration.size_limits import CUSTOM_STATUS_UNITS, cut_name, cut_text, json_units

LONGEST_RULE, LONGEST_ID, LONGEST_TYPE, LONGEST_SUBJECT, LONGEST_TIME, LONGEST_TOPIC = (
    200,
    300,
    200,
    600,
    64,
    500,
)
LONGEST_STEP, LONGEST_ACTION = 120, 60
LONGEST_REASON = 1000
DETAILS = (1000, 300, 100, 0)
"""Units of each detail: the first of these with which everything fits."""
DULL = frozenset({"waiting", "skipped", "done"})
"""Steps of these statuses are left out first where there are too many."""


def shown(
    response: Mapping[str, Any], status: str, because: str | None, steps: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """The rule, the event, its topic, the status and each step, cut until they fit.

    Where even steps without details are too many, the later ones stay and those that failed or run;
    `omitted` counts the others.
    """
    head = {
        "rule": response["rule"] and cut_name(response["rule"], LONGEST_RULE),
        "event": event_outline(response["event"]),
        "topic": cut_name(response["event"].get("topic") or "", LONGEST_TOPIC),
        "status": status,
        "because": because and cut_text(because, LONGEST_REASON),
    }
    for longest in DETAILS:
        lines = [_line(step, longest) for step in steps]
        if json_units({**head, "steps": lines}) <= CUSTOM_STATUS_UNITS:
            return {**head, "steps": lines}
    return _with_fewer_steps(head, lines)


def event_outline(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event's id, type, subject and time, cut so that they can still be looked for."""
    longest = {"id": LONGEST_ID, "type": LONGEST_TYPE, "subject": LONGEST_SUBJECT, "time": LONGEST_TIME}
    return {
        name: cut_name(event[name], units) if isinstance(event.get(name), str) else None
        for name, units in longest.items()
    }


def _line(step: Mapping[str, str], longest: int) -> dict[str, str]:
    return {
        "id": cut_name(step["id"], LONGEST_STEP),
        "uses": cut_text(step["uses"], LONGEST_ACTION),
        "status": step["status"],
        "detail": cut_text(step["detail"], longest),
    }


def _with_fewer_steps(head: Mapping[str, Any], steps: Sequence[dict[str, str]]) -> dict[str, Any]:
    by_weight = sorted(range(len(steps)), key=lambda at: (steps[at]["status"] in DULL, -at))
    room = CUSTOM_STATUS_UNITS - json_units({**head, "steps": [], "omitted": len(steps)})
    kept = []
    for at in by_weight:
        room -= json_units(steps[at]) + len(", ")
        if room < 0:
            break
        kept.append(at)
    return {**head, "steps": [steps[at] for at in sorted(kept)], "omitted": len(steps) - len(kept)}
