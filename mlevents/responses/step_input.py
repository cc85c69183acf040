"""The input of a step: only those values of its response that it names.

A tag of 900 KB would otherwise be in the input of each activity of a response, and a rollout has dozens.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mlevents.actions.action import action
from mlevents.actions.deployed_endpoint import ENDPOINT_FIELDS
from mlevents.events import Event
from mlevents.events.studio_links import ENDPOINT, list_link_sources
from mlevents.expressions.environment import NamePath
from mlevents.expressions.interpolation import ExpressionError, find_paths, find_texts
from mlevents.gates.gate import gate
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.messages import Call, Failure, Response
from mlevents.orchestration.size_limits import cut_text
from mlevents.orchestration.step_plan import PERFORM, StepPlan
from mlevents.responses.step_serialization import select_connections

LONGEST_CALL_TEXT = 1000
"""Characters of JSON of the event's id and subject; a step that names `event.subject` gets all of it."""
HIDDEN_DOLLAR = re.compile(r"\\(?:x24|u0024|U00000024)", re.IGNORECASE)
"""A `$` that YAML or JSON writes as an escape, so that an expression does not look like one."""


def begin_call(
    response: Response, step: StepPlan, results: Json | None = None, failure: Failure | None = None
) -> Call:
    """The first call of one step of a response; `results` are those of the steps before it.

    It holds only what the step names, so that large values do not go through each of its activities.
    """
    texts = set(find_texts([step.with_, step.if_]))
    files = {name: text for name, text in response.files.items() if name in texts}
    kept = _names_kept(replace(response, files=files), step, results or {}, failure)
    own = replace(
        response,
        event=_cut_event(response.event, kept),
        files=files,
        connections=select_connections(response.connections, texts),
        because=None,
        raw=None,
        steps=(),
        on_failure=(),
        earlier=(),
        unfinished=(),
        log=(),
        past=(),
        kept={},
        delivery_gates={},
    )
    notices = make_notices(response, step.orchestration.notice, results) if step.orchestration else ()
    return Call(own, step, PERFORM, {}, kept.get("steps", {}), failure, notices)


def make_notices(response: Response, template: str, results: Json | None) -> tuple[Call, ...]:
    """The calls of those steps of `on_failure` that notify people, to the same receivers with this template.

    The orchestrator that makes them adds the `failure`.
    """
    calls = (
        begin_call(response, replace(step, with_={"to": step.with_["to"], "template": template}), results)
        for step in response.on_failure
        if step.notifies
    )
    return tuple(replace(call, response=replace(call.response, files={}, gates={})) for call in calls)


def find_step_paths(response: Response, step: StepPlan) -> set[NamePath] | None:
    """What the step's expressions, its files and the gates before it read; None when that is not known."""
    files = list(response.files.values())
    if any(map(HIDDEN_DOLLAR.search, files)):
        return None
    try:
        found = find_paths([step.with_, step.if_, *files])
    except ExpressionError:  # a file is read here as it is written, before YAML or JSON is
        return None
    if step.orchestration:
        for name, written in response.gates.items():
            found |= gate.find(name).model_validate(written).paths if name in gate else set()
    return found


def select_paths(names: Any, wanted: Iterable[NamePath]) -> Any:
    """The names with the values at these paths alone, in the same order; of a list, the complete list."""
    wanted = set(wanted)
    if () in wanted or not isinstance(names, Mapping):
        return names
    below = {key: {path[1:] for path in wanted if path[0] == key} for key in names}
    return {key: select_paths(value, below[key]) for key, value in names.items() if below[key]}


def _names_kept(response: Response, step: StepPlan, results: Json, failure: Failure | None) -> Json:
    """The event's names and `steps`, as far as the step and its action read them."""
    names = {**response.event.names, "steps": results}
    wanted = _add_sources(find_step_paths(response, step), results)
    kept = names if wanted is None else select_paths(names, wanted)
    known = {**names, "failure": failure.to_json() if failure else {}}
    # An orchestrator is replayed: it is the activity that reports an action that has been removed since.
    own = action.find(step.uses).select_names(step.with_, known) if step.uses in action else {}
    return _merge(kept, {root: value for root, value in own.items() if root in names})


def _add_sources(paths: set[NamePath] | None, results: Json) -> set[NamePath] | None:
    """These paths, with those of the values from which links and the endpoint are computed."""
    if paths is None:
        return None
    found = paths | set(list_link_sources(paths))
    if any(path[0] == ENDPOINT for path in paths):
        found |= {("steps", step, field) for step in results for field in ENDPOINT_FIELDS}
        found |= {("deployment", "service")}
    return found


def _cut_event(event: Event, kept: Json) -> Event:
    """The event with these of its names, its own texts cut."""
    names = {root: value for root, value in kept.items() if root != "steps"}
    subject, identity = cut_text(event.subject, LONGEST_CALL_TEXT), cut_text(event.id, LONGEST_CALL_TEXT)
    return replace(event, id=identity, subject=subject, names=names)


def _merge(one: Json, other: Json) -> dict[str, Any]:
    """One selection with what only the other has."""
    found = dict(one)
    for key, value in other.items():
        there = found.setdefault(key, value)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            found[key] = _merge(there, value)
    return found
