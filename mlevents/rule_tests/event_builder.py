"""The event that a test in the rule file gives: sent as Azure would send it, and parsed as we parse it.

So what is worked out of an event, such as `run.root`, comes out as it would in reality; a test that
says otherwise gets a message.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlevents.conditions.condition import is_finite, quote_value
from mlevents.errors import EventError
from mlevents.events import NAMES, Event, parse
from mlevents.events.content import instant
from mlevents.events.event_forms import Form, forms
from mlevents.events.event_type import Items, NameType
from mlevents.registry import suggest_names
from mlevents.rules.validation_messages import quote
from mlevents.yamlfile.positions import PathProblem, join_path

WORKSPACE_KEY = "workspace"
ANY_WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/tests"
    "/providers/Microsoft.MachineLearningServices/workspaces/"
)
ANY_TIME = "2000-01-01T00:00:00Z"
"""The time of an event whose test gives none, and asks for none."""

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "number": is_finite,
    "boolean": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "texts": lambda value: isinstance(value, dict),
}
_WORDS = {"list": "a list of texts", "texts": "a map of texts", "text": "text"}


def build_event(
    given: Mapping[str, Any], workspaces: Mapping[str, str], at: str | None
) -> Event | list[PathProblem]:
    """The event of a test, or what is wrong with it, each with its path below `given`."""
    if len(given) != 1:
        return [("", f"gives {len(given)} events: give one, as in {{model.registered: {{…}}}}")]
    [(kind, names)] = given.items()
    if kind not in NAMES:
        near = suggest_names(kind, sorted(NAMES))
        return [(kind, f"unknown event '{kind}'{near}")]
    if not isinstance(names, dict):
        return [(kind, f"must be a mapping of names such as {', '.join(NAMES[kind])}, not {quote(names)}")]
    findings = [*_find_unknown_names(kind, names), *_check_workspace(names.get(WORKSPACE_KEY), workspaces)]
    if findings:
        return [(join_path(kind, path), text) for path, text in findings]
    found = _build_nearest(kind, names, _choose_topic(names.get(WORKSPACE_KEY), workspaces), at or ANY_TIME)
    return (
        found
        if isinstance(found, Event)
        else [(join_path(kind, path) if path else kind, text) for path, text in found]
    )


def _find_unknown_names(kind: str, names: Mapping[str, Any]) -> Iterator[PathProblem]:
    """Names that no event of this kind has, and values of another type."""
    for root, fields in names.items():
        known = NAMES[kind].get(root)
        if known is None:
            yield (
                root,
                f"unknown name '{root}'{suggest_names(root, sorted(NAMES[kind]))}",
            )
        elif root != WORKSPACE_KEY and not isinstance(fields, dict):
            yield root, f"must be a mapping of {', '.join(known)}, not {quote(fields)}"
        elif root != WORKSPACE_KEY:
            for name, value in fields.items():
                yield from _find_type_problems(f"{root}.{name}", known.get(name), value, known)


def _find_type_problems(
    path: str, kind: NameType | None, value: object, known: Mapping[str, NameType]
) -> Iterator[PathProblem]:
    if isinstance(kind, Items):
        yield from _find_item_problems(path, kind, value)
    elif kind is None:
        name = path.partition(".")[2]
        yield path, f"unknown name '{name}'{suggest_names(name, sorted(known))}"
    elif value is not None and not _TYPES[kind](value):
        quoting = kind == "text" and isinstance(value, bool | int | float)
        remedy = f': write "{quote_value(value)}"' if quoting else f", not {quote(value)}"
        yield path, f"{path} is {_WORDS.get(kind, f'a {kind}')}{remedy}"
    elif kind == "texts" and isinstance(value, dict):
        for key, text in value.items():
            yield from _find_type_problems(join_path(path, key), "text", text, known)


def _find_item_problems(path: str, kind: Items, value: object) -> Iterator[PathProblem]:
    """The problems of a list of maps."""
    items = [] if value is None else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        yield path, f"{path} is a list of maps of {', '.join(kind.fields)}, not {quote(value)}"
        return
    for index, item in enumerate(items):
        place = join_path(path, index)
        for name, said in item.items():
            if name in kind.fields:
                yield from _find_type_problems(join_path(place, name), kind.fields[name], said, kind.fields)
            else:
                near = suggest_names(name, sorted(kind.fields))
                yield join_path(place, name), f"unknown name '{name}'{near}"


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


def _build_nearest(kind: str, names: Mapping[str, Any], topic: str, time: str) -> Event | list[PathProblem]:
    """The event in the form of this kind that says all that is given, or what the nearest form does not."""
    given = {root: fields for root, fields in names.items() if root != WORKSPACE_KEY}
    envelope = {"id": "test", "time": time, **given.get("event", {})}
    attempts = [_try_form(form, {**given, "event": envelope}, topic) for form in forms(kind)]
    event, different = min(attempts, key=lambda one: len(one[1]))
    return event if event and not different else different


def _try_form(form: Form, names: Mapping[str, Any], topic: str) -> tuple[Event | None, list[PathProblem]]:
    try:
        event = parse(form.document(names, topic))
    except EventError as error:
        root, name = form.type.about
        if names.get(root, {}).get(name):
            return None, [("", str(error))]
        return None, [("", f"'{root}.{name}' is required: it identifies the event")]
    said = ((root, name, value) for root, fields in names.items() for name, value in fields.items())
    return event, [
        one for root, name, value in said if (one := _compare_value(event, form, (root, name), value))
    ]


def _compare_value(event: Event, form: Form, name: tuple[str, str], value: Any) -> PathProblem | None:
    """How a value comes out of the event, if not as it was given."""
    found = event.names.get(name[0], {}).get(name[1])
    if name == ("event", "time") and value:
        value = _normalize_time(value)
    if isinstance(value, dict):
        found = {key: (found or {}).get(key) for key in value}
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
