"""The problems of the expressions in a rule, found when it loads: names that no event has."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.events import NAMES
from mlevents.events.event_type import Items, NameType
from mlevents.expressions.environment import NamePath, format_path
from mlevents.expressions.interpolation import ExpressionError, find_expression_texts, list_paths
from mlevents.registry import did_you_mean, list_choices

type KnownNames = Mapping[str, KnownNames] | Mapping[str, NameType] | NameType | str
"""The names below a name, or its type: `any` and `texts` accept any name below, a `list` has indexes.

`Items` have indexes too, with names below each.
"""

_LONE = re.compile(r"\$\{\s*([A-Za-z_][\w.]*)\s*\}")
MAX_LISTED_NAMES = 50
"""Names that a message lists."""
_ELSEWHERE = {
    "steps": "only later steps can read the results of a step",
    "failure": "it exists only in on_failure",
    "response": "only steps can read it",
    "endpoint": "only steps can read it, after one that deploys or in a rule for model.deployed",
    "group": "it exists only in a rule with `group`",
    "env": "it exists only in workspaces and connections",
}


def check_expressions(
    value: Any, known: Mapping[str, KnownNames], extra: Mapping[str, KnownNames] | None = None
) -> list[str]:
    """The problems of the expressions in a JSON value, found without an event.

    `known` are the names of the rule's events, as `list_names` gives them; `extra` are more roots,
    such as `{"steps": {"deploy": "any"}, "failure": "any"}`.
    """
    roots = {**known, **(extra or {})}
    return [problem for said in find_expression_texts(value) for problem in _problems(said, roots)]


def find_container_type(said: object, known: Mapping[str, KnownNames]) -> str | None:
    """`map` or `list` if a text is a single dotted name of such a value; else None."""
    found = _LONE.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        return None
    below: KnownNames = known
    for key in found[1].split("."):
        if isinstance(below, str | Items) or key not in below:
            return None
        below = below[key]
    if isinstance(below, str):
        return {"texts": "map", "list": "list"}.get(below)
    return "list" if isinstance(below, Items) else "map"


def _problems(said: str, known: Mapping[str, KnownNames]) -> Iterator[str]:
    try:
        yield from (problem for path in list_paths(said) if (problem := _unknown(path, known)))
    except ExpressionError as error:
        yield str(error)


def _unknown(path: NamePath, known: Mapping[str, KnownNames]) -> str | None:
    """The problem of a path, or None."""
    below: KnownNames = known
    for index, key in enumerate(path):
        if isinstance(below, str):
            return _too_deep(path, index, below)
        if isinstance(below, Items):
            if not isinstance(key, int):
                above = format_path(path[:index])
                return f"{format_path(path)}: {above} is a list: write {above}[0] for its first item"
            below = below.fields
            continue
        if key not in below:
            return _no_such(path[:index], key, below)
        below = below[str(key)]
    return None


def _too_deep(path: NamePath, index: int, kind: str) -> str | None:
    key, above = path[index], format_path(path[:index])
    if kind == "any" or (kind == "list" and isinstance(key, int)):
        return None
    if kind == "texts" and isinstance(key, str) and len(path) == index + 1:
        return None
    if kind == "texts":
        whole = ".".join(map(str, path[index:]))
        return f"{format_path(path)}: {above} has texts only; write a key with dots as {above}['{whole}']"
    return f"{format_path(path)}: {above} is a {kind} and has no {key!r}"


def _no_such(above: NamePath, key: str | int, known: Mapping[str, KnownNames]) -> str:
    if above:
        no_such = "no earlier step is named" if above == ("steps",) else f"{format_path(above)} has no"
        return f"{no_such} '{key}'{_suggest(key, known)}"
    kinds = sorted(kind for kind in NAMES if key in NAMES[kind])
    elsewhere = f"it belongs to {', '.join(kinds)}" if kinds else _ELSEWHERE.get(str(key))
    near = f": {elsewhere}" if elsewhere else _suggest(key, known)
    return f"unknown name '{key}'{near}"


def _suggest(key: str | int, known: Mapping[str, KnownNames]) -> str:
    near = did_you_mean(key, known)
    if near or len(known) > MAX_LISTED_NAMES:
        return near or f": {len(known)} other names exist"
    return list_choices(sorted(known)) if known else ""
