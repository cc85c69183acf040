"""What a step is given of its response: the values that it names, and no others.

A tag of 900 KB would otherwise be in the input of each activity of a response, and a rollout has dozens.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mlevents.actions.action import action
from mlevents.expressions.environment import NamePath
from mlevents.expressions.interpolation import ExpressionError, find_paths
from mlevents.gates.gate import gate
from mlevents.orchestration.response import Step
from mlevents.orchestration.size_limits import cut_text
from mlevents.orchestration.step_runner import Call
from mlevents.responses.step_serialization import leaves

LEFT_OUT = frozenset({"steps", "on_failure", "raw", "because", "unfinished"})
"""What of a response no step needs."""
LONGEST_SUBJECT = 1000
"""Characters of JSON of the event's id and subject; a step that names `event.subject` is given all of it."""
HIDDEN_DOLLAR = re.compile(r"\\(?:x24|u0024|U00000024)", re.IGNORECASE)
"""A `$` that YAML or JSON writes as an escape, so that an expression does not look like one."""


def begin(
    document: Mapping[str, Any],
    step: Step,
    results: Mapping[str, Any] | None = None,
    failure: Mapping[str, Any] | None = None,
) -> Call:
    """The first call of one step of a response; `results` are those of the steps before it.

    It holds only what the step names, so that large values do not go through each of its activities.
    """
    return {
        **step_input(document, step, results or {}, failure),
        "step": dict(step),
        "verb": "perform",
        "progress": {},
        **({"failure": failure} if failure else {}),
    }


def step_input(
    document: Mapping[str, Any], step: Step, results: Mapping[str, Any], failure: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The `response` and the `results` of a step's call: `document` is the response as JSON."""
    texts = set(leaves([step["with"], step["if"]]))
    files = {name: text for name, text in document.get("files", {}).items() if name in texts}
    event = document["event"]
    names = {**event.get("names", {}), "steps": results}
    wanted = paths_read(document, step, files.values())
    kept = names if wanted is None else select(names, wanted)
    chosen = action.find(step["uses"])
    own = chosen.names_read(step["with"], {**names, "failure": failure or {}})
    kept = _merged(kept, {root: value for root, value in own.items() if root in names})
    left = {name: value for name, value in document.items() if name not in LEFT_OUT}
    connections = {name: one for name, one in document.get("connections", {}).items() if name in texts}
    response = {**left, "event": _event_with(event, kept), "files": files, "connections": connections}
    return {"response": response, "results": kept.get("steps", {})}


def _event_with(event: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The event with these of its names, its own texts cut."""
    texts = {name: cut_text(event.get(name) or "", LONGEST_SUBJECT) for name in ("id", "subject")}
    return {**event, **texts, "names": {root: value for root, value in kept.items() if root != "steps"}}


def paths_read(document: Mapping[str, Any], step: Step, files: Iterable[str]) -> set[NamePath] | None:
    """What the step's expressions, its files and the gates before it read; None when it cannot be told."""
    files = list(files)
    if any(map(HIDDEN_DOLLAR.search, files)):
        return None
    try:
        found = find_paths([step["with"], step["if"], *files])
    except ExpressionError:  # a file is read here as it is written, before YAML or JSON is
        return None
    if step["orchestrator"]:
        for name, written in (document.get("gates") or {}).items():
            found |= gate.find(name).model_validate(written).paths
    return found


def select(names: Any, wanted: Iterable[NamePath]) -> Any:
    """The names with the values at these paths alone, in the same order; of a list, the whole list."""
    wanted = set(wanted)
    if () in wanted or not isinstance(names, Mapping):
        return names
    below = {key: {path[1:] for path in wanted if path[0] == key} for key in names}
    return {key: select(value, below[key]) for key, value in names.items() if below[key]}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """One selection with what only the other has."""
    found = dict(one)
    for key, value in other.items():
        there = found.setdefault(key, value)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            found[key] = _merged(there, value)
    return found
