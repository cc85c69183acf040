"""An event in words of a command line: `name=churn-x tags.release=yes drift.value=0.4`.

The paths are those of rules; the root may be left out where it is what the event is about. A path ends with
the key of a tag or property, which may have dots, or with `NUMBER.FIELD` in a list of maps, from 0.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

from mlevents.events import NAMES
from mlevents.events.event_forms import forms
from mlevents.events.event_type import Items, NameType
from mlevents.registry import did_you_mean, list_choices, suggest_names
from mlevents.rule_tests.name_check import WORKSPACE_KEY
from mlevents.rules.event_synonyms import find_run_status, suggest_event

ENVELOPE = ("event", WORKSPACE_KEY)
MOST_LIST_ITEMS = 100


class ArgumentError(ValueError):
    """An argument that says nothing about an event of this kind."""


def check_kind(kind: str) -> None:
    """Raise ArgumentError for an event type that no rule can ask for."""
    if kind not in NAMES:
        status = find_run_status(kind)
        remedy = f"write run.status_changed status={status}" if status else suggest_event(kind)
        tail = f": {remedy}" if remedy else suggest_names(kind, sorted(NAMES))
        raise ArgumentError(f"unknown event type '{kind}'{tail}")


def read_arguments(kind: str, arguments: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The normalised names, by root, of an event of this kind; raises ArgumentError."""
    check_kind(kind)
    names: dict[str, dict[str, Any]] = {}
    said: set[str] = set()
    for argument in arguments:
        path, equals, text = argument.partition("=")
        if not equals:
            raise ArgumentError(f"'{argument}' has no value: write {argument}=VALUE")
        root, field, rest = find_field(kind, path)
        full = ".".join((root, field, *rest))
        if full in said:
            raise ArgumentError(f"'{full}' has two values: name it once")
        said.add(full)
        _set_value(names.setdefault(root, {}), (field, *rest), NAMES[kind][root][field], text)
    return names


def find_field(kind: str, path: str) -> tuple[str, str, tuple[str, ...]]:
    """The root and field that a path names, and the rest of it; raises ArgumentError."""
    head, *rest = path.split(".")
    roots = NAMES[kind]
    if head == WORKSPACE_KEY:
        raise ArgumentError("the workspace is an option: write --workspace NAME")
    if head in roots and rest and rest[0] in roots[head]:
        found = head, rest[0], tuple(rest[1:])
    else:
        root = next((one for one in _list_own_roots(kind) if head in roots[one]), None)
        if root is None:
            raise ArgumentError(f"{kind} has no '{path}'{_suggest_path(kind, path)}")
        found = root, head, tuple(rest)
    return _check_rest(found, roots[found[0]][found[1]])


def _check_rest(found: tuple[str, str, tuple[str, ...]], type_: NameType) -> tuple[str, str, tuple[str, ...]]:
    root, field, rest = found
    path = f"{root}.{field}"
    if isinstance(type_, Mapping):
        below = type_.get(rest[0]) if rest else None
        if below is None:
            raise ArgumentError(f"'{path}' is a map: write {path}.NAME=VALUE{list_choices(type_)}")
        _, _, inner = _check_rest((path, rest[0], rest[1:]), below)
        return root, field, (rest[0], *inner)
    if type_ == "texts":
        if not rest or not ".".join(rest):
            raise ArgumentError(f"'{path}' is a map: write {path}.KEY=VALUE")
        return root, field, (".".join(rest),)
    if isinstance(type_, Items):
        if len(rest) != 2 or not rest[0].isdecimal() or int(rest[0]) >= MOST_LIST_ITEMS:
            raise ArgumentError(f"'{path}' is a list: write {path}.0.FIELD=VALUE for its first item")
        if rest[1] not in type_.fields:
            raise ArgumentError(f"{path} has no '{rest[1]}'{suggest_names(rest[1], type_.fields)}")
    elif rest:
        raise ArgumentError(f"'{path}' is one value: write {path}=VALUE")
    return found


def _list_own_roots(kind: str) -> list[str]:
    """The roots besides the envelope: first what the event is about."""
    return sorted((root for root in NAMES[kind] if root not in ENVELOPE), key=lambda one: one != _about(kind))


def _about(kind: str) -> str:
    if kind.partition(".")[0] in NAMES[kind]:
        return kind.partition(".")[0]
    return next((form.type.about[0] for form in forms(kind)), "")


def _suggest_path(kind: str, path: str) -> str:
    """The remedy: the nearest path, else all that there are."""
    key = path.rsplit(".", maxsplit=1)[-1]
    known = [
        one
        for root, fields in NAMES[kind].items()
        for field, type_ in fields.items()
        for one in _list_paths(f"{root}.{field}", type_)
    ]
    own = [one.partition(".")[2] for one in known if one.partition(".")[0] in _list_own_roots(kind)]
    near = did_you_mean(path, [one.replace(".KEY", f".{key}") for one in (*known, *own)])
    return near or f": it has {', '.join(one for one in known if not one.startswith('workspace.'))}"


def _list_paths(path: str, type_: NameType) -> list[str]:
    """The paths that may be written for a name of this type."""
    if isinstance(type_, Mapping):
        return [one for name, below in type_.items() for one in _list_paths(f"{path}.{name}", below)]
    return [f"{path}.KEY" if type_ == "texts" else path]


def _set_value(names: dict[str, Any], keys: tuple[str, ...], type_: NameType, text: str) -> None:
    field, *rest = keys
    path = ".".join(keys)
    if isinstance(type_, Items):
        place, name = int(rest[0]), rest[1]
        items = names.setdefault(field, [])
        if place > len(items):
            raise ArgumentError(f"'{path}' is item {place} of a list of {len(items)}: begin with 0")
        if place == len(items):
            items.append({})
        items[place][name] = _read_value(path, type_.fields[name], text)
    elif isinstance(type_, Mapping):
        _set_value(names.setdefault(field, {}), tuple(rest), type_[rest[0]], text)
    elif rest:
        names.setdefault(field, {})[rest[0]] = text
    else:
        names[field] = _read_value(path, type_, text)


def _read_value(path: str, type_: NameType, text: str) -> Any:
    if type_ == "list":
        return [one.strip() for one in text.split(",") if one.strip()]
    if type_ == "boolean":
        if text not in ("true", "false"):
            raise ArgumentError(f"{path} is '{text}': write true or false")
        return text == "true"
    if type_ == "number":
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise ArgumentError(f"{path} is '{text}': write a number, such as 0.4")
        return value
    return text


def write_arguments(kind: str, names: Mapping[str, Any]) -> list[str]:
    """The arguments that `read_arguments` reads as these names; raises ArgumentError where none do."""
    written = [f"{_shorten(kind, path)}={text}" for path, text in _flatten(names)]
    if read_arguments(kind, written) != names:
        raise ArgumentError(f"no arguments say {names!r:.200}")
    return written


def join_command(words: Iterable[str]) -> str:
    """A command line for a shell, which can be pasted."""
    return shlex.join(words)


def _shorten(kind: str, path: str) -> str:
    """The path without its root, where it names the same."""
    short = path.partition(".")[2]
    try:
        return short if find_field(kind, short) == find_field(kind, path) else path
    except ArgumentError:
        return path


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value as text, with its path."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _flatten(member, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        for place, item in enumerate(value):
            yield from _flatten(item, f"{path}.{place}")
    elif isinstance(value, list | tuple):
        yield path, ",".join(value)
    elif isinstance(value, bool):
        yield path, str(value).lower()
    elif value is not None:
        yield path, str(value)
