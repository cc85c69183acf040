"""Rules for request bodies, small enough to read: each yields the path and text of every problem.

A property that is null counts as left out, and properties that a rule does not name are let through:
Azure's own readers do both.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

type Rule = Callable[[Any, str], Iterator[str]]


def anything(_value: Any, _path: str) -> Iterator[str]:
    """Whatever JSON there is."""
    return iter(())


def text(pattern: str = "") -> Rule:
    """A text in which the regular expression is found."""
    wanted = re.compile(pattern)

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"'{path}' must be a text, not {_kind(value)}"
        elif not wanted.search(value):
            yield f"'{path}' is '{value}', which does not match the pattern '{pattern}'"

    return check


def one_of(*values: str) -> Rule:
    """One of these texts, letter by letter."""

    def check(value: Any, path: str) -> Iterator[str]:
        if value not in values:
            yield f"'{path}' is {value!r}: allowed values are {', '.join(values)}"

    return check


def flag(value: Any, path: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield f"'{path}' must be true or false, not {_kind(value)}"


def whole(value: Any, path: str) -> Iterator[str]:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"'{path}' must be a whole number, not {_kind(value)}"


def scalar(value: Any, path: str) -> Iterator[str]:
    """A text, number or truth value: what some readers turn into text by themselves."""
    if isinstance(value, dict | list):
        yield f"'{path}' must be a text, not {_kind(value)}"


def map_of(rule: Rule) -> Rule:
    """An object with free keys, each value after the rule."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"'{path}' must be an object, not {_kind(value)}"
            return
        for key, member in value.items():
            yield from rule(member, f"{path}.{key}")

    return check


def list_of(rule: Rule) -> Rule:
    """An array, each element after the rule."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"'{path}' must be an array, not {_kind(value)}"
            return
        for number, member in enumerate(value):
            yield from rule(member, f"{path}[{number}]")

    return check


def object_of(required: Mapping[str, Rule] | None = None, **optional: Rule) -> Rule:
    """An object with known properties."""
    needed = required or {}

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"'{path}' must be an object, not {_kind(value)}"
            return
        for name in needed:
            if value.get(name) is None:
                yield f"'{_join(path, name)}' is required"
        for name, rule in {**needed, **optional}.items():
            if value.get(name) is not None:
                yield from rule(value[name], _join(path, name))

    return check


def all_of(*rules: Rule) -> Rule:
    """Every one of the rules."""

    def check(value: Any, path: str) -> Iterator[str]:
        for rule in rules:
            yield from rule(value, path)

    return check


def by(name: str, kinds: Mapping[str, Rule]) -> Rule:
    """An object whose property `name` says which rule it follows."""

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"'{path}' must be an object, not {_kind(value)}"
            return
        kind = value.get(name)
        if kind is None:
            yield f"'{_join(path, name)}' is required"
        elif not isinstance(kind, str) or kind not in kinds:
            yield f"'{_join(path, name)}' is {kind!r}: allowed values are {', '.join(kinds)}"
        else:
            yield from kinds[kind](value, path)

    return check


def problems(rule: Rule, body: Any) -> list[str]:
    """Every problem of a body, each naming the property's path."""
    return list(rule(body, ""))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")
