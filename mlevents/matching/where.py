"""`where`: from nested maps shaped like the normalised event to conditions on its fields.

A map's keys are roots, then fields; under `tags` and `properties` they are those of the event. Under
any other field a scalar means equals, a list means any of, and the keys of a map are operators. On
each level siblings are AND, and `any`, `all` and `not` combine maps of that level; a tag with one of
these three names cannot have conditions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.conditions.condition import Condition, operator, quote_value, type_of
from mlevents.events import NAMES
from mlevents.matching.condition_tree import (
    AllOf,
    AnyOf,
    FailedCondition,
    FieldCondition,
    Node,
    Not,
    conjuncts,
)
from mlevents.matching.contradictions import find_contradictions
from mlevents.registry import UnknownNameError, did_you_mean

COMBINATORS = ("any", "all", "not")
ANY_EVENT = "*"
MAX_WHERE_PROBLEMS = 200
"""The limit of problems of one `where`."""

type ReportProblem = Callable[[str, str], None]
type FieldNames = Mapping[str, "FieldNames"] | str
"""The names of a level, with those below each; a field's type where there are none."""


@dataclass(frozen=True, slots=True)
class Where:
    """The conditions of one rule on the event's normalised names."""

    root: Node

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Whether the event fulfils all of them; then there is no first failure."""
        return self.root.holds(names)

    def first_failure(self, names: Mapping[str, Any]) -> FailedCondition | None:
        """The first condition that fails, with its path from `where`."""
        return self.root.first_failure(names)

    def conjuncts(self) -> tuple[FieldCondition | AnyOf | Not, ...]:
        """The parts that must all hold, in the order written."""
        return tuple(conjuncts(self.root))


def list_names(kinds: Iterable[str]) -> dict[str, dict[str, str]]:
    """The names that an event of at least one of these kinds can have; of every kind for `*`."""
    asked = [kind for kind in kinds if kind in NAMES] or list(NAMES)
    names: dict[str, dict[str, str]] = {}
    for kind in asked:
        for root, fields in NAMES[kind].items():
            names.setdefault(root, {}).update(fields)
    return names


def bind_where(
    where: Mapping[str, Any], kinds: tuple[str, ...], at: str, report: ReportProblem
) -> Where | None:
    """The conditions of a `where` as written; None if a problem was reported.

    `kinds` are the rule's events. `at` is the path of the `where` in the rule file, and each call of
    `report` has a path that begins with it, and the problem there.
    """
    problems: list[tuple[str, str]] = []
    binder = _Binder(kinds, problems)
    root = binder.level(where, _Level((), list_names(kinds), at, "where"))
    if root is not None and not problems:
        problems += [
            (at + path.removeprefix("where"), text) for path, text in find_contradictions(conjuncts(root))
        ]
    for problem in problems:
        report(*problem)
    return None if root is None or problems else Where(AllOf(tuple(conjuncts(root))))


@dataclass(frozen=True, slots=True)
class _Level:
    """A position in `where`: the keys so far, the names below, the paths for problems and reasons."""

    keys: tuple[str, ...]
    names: FieldNames
    at: str
    path: str

    @property
    def is_field(self) -> bool:
        return isinstance(self.names, str) and self.names != "texts"

    def below(self, key: str) -> "_Level | None":
        """The level of a name or tag key; None for a name that does not exist."""
        names = "text" if self.names == "texts" else self.names.get(key)  # type: ignore[union-attr]
        if names is None:
            return None
        return _Level((*self.keys, key), names, f"{self.at}.{key}", f"{self.path}.{key}")

    def inside(self, part: str) -> "_Level":
        """The same level inside `any`, `all` or `not`; the path of a reason stops at a field."""
        path = self.path if self.is_field else f"{self.path}.{part}"
        return _Level(self.keys, self.names, f"{self.at}.{part}", path)


class _Binder:
    def __init__(self, kinds: tuple[str, ...], problems: list[tuple[str, str]]) -> None:
        self.kinds = kinds
        self.problems = problems

    def report(self, path: str, text: str) -> None:
        self.problems.append((path, text))

    def level(self, written: object, level: _Level) -> Node | None:
        """The node of a level: of a map, a list or a value."""
        if not isinstance(written, Mapping):
            return self.value(written, level)
        if not written:
            self.report(level.at, f"is empty: write {_content(level)} in it, or remove it")
        nodes = [self.entry(key, value, level) for key, value in written.items()]
        return AllOf(tuple(node for node in nodes if node))

    def value(self, written: object, level: _Level) -> Node | None:
        if not level.is_field:
            self.report(level.at, f"must be a map of {_content(level)}, not {quote_value(written)}")
            return None
        name = "in" if isinstance(written, list) else "equals"
        return self.condition(name, written, written, level)

    def entry(self, key: object, value: object, level: _Level) -> Node | None:
        if len(self.problems) >= MAX_WHERE_PROBLEMS:
            return None
        if not isinstance(key, str):
            self.report(level.at, f"the key {quote_value(key)} is not text: put it in quotes")
            return None
        if key in COMBINATORS:
            return self.combined(key, value, level)
        if level.is_field:
            inside = _Level(level.keys, level.names, f"{level.at}.{key}", level.path)
            return self.condition(key, value, {key: value}, inside)
        below = level.below(key)
        if below is None:
            self.report(f"{level.at}.{key}", self.unknown(key, level))
            return None
        return self.level(value, below)

    def combined(self, key: str, value: object, level: _Level) -> Node | None:
        inside = level.inside(key)
        if key == "not":
            node = self.level(value, inside)
            return Not(inside.path, node, {key: value}) if node else None
        if not isinstance(value, list) or not value:
            self.report(inside.at, f"must be a list of maps, not {quote_value(value)}")
            return None
        levels = [level.inside(f"{key}[{index}]") for index in range(len(value))]
        nodes = [self.level(part, one) for part, one in zip(value, levels, strict=True)]
        bound = tuple(node for node in nodes if node)
        return AnyOf(inside.path, bound, {key: value}) if key == "any" else AllOf(bound)

    def condition(self, name: str, operand: object, wanted: object, level: _Level) -> FieldCondition | None:
        kind = str(level.names)
        if operand is None:
            self.report(level.at, "null cannot be compared: write `absent: true` for a missing value")
            return None
        try:
            condition = operator.find(name)(operand)
        except (UnknownNameError, ValueError) as error:
            self.report(level.at, str(error))
            return None
        if kind not in condition.fits:
            self.report(level.at, _misfit(name, condition, operand, level))
            return None
        return FieldCondition(level.path, level.keys, kind, condition, wanted)

    def unknown(self, key: str, level: _Level) -> str:
        if key in operator.names():
            return f"'{key}' is an operator: write it below {_content(level)}"
        elsewhere = [kind for kind in sorted(NAMES) if not level.keys and key in NAMES[kind]]
        if elsewhere:
            return f"'{key}' is not part of {' or '.join(self.kinds)}: it belongs to {', '.join(elsewhere)}"
        near = did_you_mean(key, [*level.names, *COMBINATORS])
        return f"unknown name '{key}'{near or f': write {_content(level)}'}"


def _content(level: _Level) -> str:
    """What a level may contain, for a message."""
    if level.is_field:
        return "operators"
    return "tag keys" if isinstance(level.names, str) else "names such as " + ", ".join(sorted(level.names))


def _misfit(name: str, condition: Condition, operand: object, level: _Level) -> str:
    """Why an operator can never hold for a field of this type, and what to write."""
    field, kind = ".".join(level.keys), str(level.names)
    for value in getattr(condition, "values", ()):
        if kind in ("text", "list") and type_of(value) != "text":
            return (
                f'{field} is text, {quote_value(value)} is a {type_of(value)}: write "{quote_value(value)}"'
            )
        if kind in ("number", "boolean") and type_of(value) != kind:
            return f"{field} is a {kind}, {quote_value(value)} is a {type_of(value)}: write {_EXAMPLES[kind]}"
    return f"'{name}' with {quote_value(operand)} can never hold for {field}, which is a {kind}"


_EXAMPLES = {"number": "a number without quotes", "boolean": "true or false without quotes"}
