"""The event that a test in the rule file gives: sent as Azure would send it, and parsed as we parse it.

So what is worked out of an event, such as `run.root`, comes out as it would in reality; a test that
says otherwise gets a message.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.conditions.condition import quote_value
from mlevents.errors import EventError
from mlevents.events import NAMES, Event, parse
from mlevents.events.content import instant
from mlevents.events.event_forms import Form, forms
from mlevents.registry import suggest_names
from mlevents.rule_tests.name_check import WORKSPACE_KEY, find_unknown_names
from mlevents.yamlfile.positions import PathProblem, join_path
from mlevents.yamlfile.scalars import quote

ANY_WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/tests"
    "/providers/Microsoft.MachineLearningServices/workspaces/"
)
ANY_TIME = "2000-01-01T00:00:00Z"
"""The time of an event whose test gives none, and asks for none."""


@dataclass(frozen=True, slots=True)
class BuiltEvent:
    """An event as Azure would send it, and as we parse it."""

    document: Mapping[str, Any]
    event: Event


def build_event(
    given: Mapping[str, Any], workspaces: Mapping[str, str], at: str | None
) -> Event | list[PathProblem]:
    """The event of a test, or what is wrong with it, each with its path below `given`."""
    built = build_document(given, workspaces, at)
    return built.event if isinstance(built, BuiltEvent) else built


def build_document(
    given: Mapping[str, Any], workspaces: Mapping[str, str], at: str | None
) -> BuiltEvent | list[PathProblem]:
    """The event of a test in both forms, or what is wrong with it, as `build_event` says it."""
    if len(given) != 1:
        return [("", f"gives {len(given)} events: give one, as in {{model.registered: {{…}}}}")]
    [(kind, names)] = given.items()
    if kind not in NAMES:
        near = suggest_names(kind, sorted(NAMES))
        return [(kind, f"unknown event '{kind}'{near}")]
    if not isinstance(names, dict):
        return [(kind, f"must be a mapping of names such as {', '.join(NAMES[kind])}, not {quote(names)}")]
    findings = [*find_unknown_names(kind, names), *_check_workspace(names.get(WORKSPACE_KEY), workspaces)]
    if findings:
        return [(join_path(kind, path), text) for path, text in findings]
    found = _build_nearest(kind, names, _choose_topic(names.get(WORKSPACE_KEY), workspaces), at or ANY_TIME)
    return (
        found
        if isinstance(found, BuiltEvent)
        else [(join_path(kind, path) if path else kind, text) for path, text in found]
    )


def _check_workspace(workspace: object, workspaces: Mapping[str, str]) -> Iterator[PathProblem]:
    if workspace is None:
        return
    if not isinstance(workspace, str):
        yield WORKSPACE_KEY, f"must be the name of a workspace, not {quote(workspace)}"
    elif workspaces and workspace not in workspaces:
        near = suggest_names(workspace, sorted(workspaces))
        yield WORKSPACE_KEY, f"'{workspace}' is not listed under 'workspaces'{near}"


def _choose_topic(workspace: str | None, workspaces: Mapping[str, str]) -> str:
    if workspaces:
        return workspaces[workspace] if workspace else next(iter(workspaces.values()))
    return ANY_WORKSPACE + (workspace or "tests")


def _build_nearest(
    kind: str, names: Mapping[str, Any], topic: str, time: str
) -> BuiltEvent | list[PathProblem]:
    """The event in the form of this kind that says all that is given, or what the nearest form does not."""
    given = {root: fields for root, fields in names.items() if root != WORKSPACE_KEY}
    envelope = {"id": "test", "time": time, **given.get("event", {})}
    attempts = [_try_form(form, {**given, "event": envelope}, topic) for form in forms(kind)]
    built, different = min(attempts, key=lambda one: len(one[1]))
    return built if built and not different else different


def _try_form(
    form: Form, names: Mapping[str, Any], topic: str
) -> tuple[BuiltEvent | None, list[PathProblem]]:
    document = form.document(names, topic)
    try:
        event = parse(document)
    except EventError as error:
        root, name = form.type.about
        if names.get(root, {}).get(name):
            return None, [("", str(error))]
        return None, [("", f"'{root}.{name}' is required: it identifies the event")]
    said = ((root, name, value) for root, fields in names.items() for name, value in fields.items())
    return BuiltEvent(document, event), [
        one for root, name, value in said if (one := _compare_value(event, form, (root, name), value))
    ]


def _compare_value(event: Event, form: Form, name: tuple[str, str], value: Any) -> PathProblem | None:
    """How a value comes out of the event, if not as it was given."""
    found = event.names.get(name[0], {}).get(name[1])
    if name == ("event", "time") and value:
        value = _normalize_time(value)
    if isinstance(value, dict):
        found = _select_keys(found, value)
    elif isinstance(value, list):
        value = [_drop_nulls(item) for item in value]
    if found == value or (found is None and value in ([], {})):
        return None
    field = form.fields.get(name[0], {}).get(name[1])
    why = "no such event has it together with the other names" if name[0] != "event" and field is None else ""
    if field and field.member is None:
        why = "it is computed from the other names"
    if value == "":
        why = "an empty text counts as missing"
    path = ".".join(name)
    return path, f"comes out as {_format_value(found)}, not {_format_value(value)}{': ' if why else ''}{why}"


def _select_keys(found: Any, asked: Any) -> Any:
    """Of a map, the keys that another one has, at every level."""
    if not isinstance(asked, dict):
        return found
    return {key: _select_keys((found or {}).get(key), inner) for key, inner in asked.items()}


def _drop_nulls(item: Any) -> Any:
    """An item of a list as an event has it: null counts as missing."""
    return (
        {key: value for key, value in item.items() if value is not None} if isinstance(item, dict) else item
    )


def _normalize_time(value: str) -> str:
    try:
        return instant(value)
    except ValueError:
        return value


def _format_value(value: object) -> str:
    return "nothing" if value is None else quote_value(value)
