"""`where`: from nested maps shaped like the normalised event to conditions on its fields.

A map's keys are roots, then fields; under `tags` and `properties` they are those of the event. Under
any other field a scalar means equals, a list means any of, and the keys of a map are operators. On
each level siblings are AND, and `any`, `all` and `not` combine maps of that level; a tag with one of
these three names cannot have conditions. At a list, `any` or `all` with one map, instead of a list of
maps, has the conditions on one or on each of its items.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mlevents.conditions.condition import operator, quote_value
from mlevents.events import NAMES
from mlevents.events.event_type import Items, NameType
from mlevents.events.studio_links import LINK, STUDIO_PAGES, describe_links
from mlevents.matching.condition_tree import (
    MAPPINGS,
    AllOf,
    AnyOf,
    FailedCondition,
    FieldCondition,
    Node,
    Not,
    conjuncts,
)
from mlevents.matching.contradictions import find_contradictions
from mlevents.matching.item_conditions import QUANTIFIERS
from mlevents.matching.key_hints import suggest_level
from mlevents.matching.where_level import WhereLevel, describe_content, describe_items, explain_misfit
from mlevents.registry import UnknownNameError, did_you_mean

COMBINATORS = ("any", "all", "not")
ANY_EVENT = "*"
MAX_WHERE_PROBLEMS = 200
"""The limit of problems of one `where`."""

type ReportProblem = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Where:
    """The conditions of one rule on the event's normalised names; `written` is what they were bound from."""

    root: Node
    written: Mapping[str, Any]

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Whether the event fulfils all of them; then there is no first failure."""
        return self.root.holds(names)

    def first_failure(self, names: Mapping[str, Any]) -> FailedCondition | None:
        """The first condition that fails, with its path from `where`."""
        return self.root.first_failure(names)

    def conjuncts(self) -> tuple[FieldCondition | AnyOf | Not, ...]:
        """The parts that must all hold, in the order written."""
        return tuple(conjuncts(self.root))


@lru_cache
def list_names(kinds: tuple[str, ...]) -> Mapping[str, Mapping[str, NameType]]:
    """The names that an event of at least one of these kinds can have; of every kind for `*`."""
    asked = [kind for kind in kinds if kind in NAMES] or list(NAMES)
    names: dict[str, dict[str, NameType]] = {}
    for kind in asked:
        for root, fields in NAMES[kind].items():
            names.setdefault(root, {}).update(fields)
    return names


@lru_cache
def list_expression_names(kinds: tuple[str, ...]) -> Mapping[str, Mapping[str, Any]]:
    """The names that expressions can read of an event of at least one of these kinds."""
    return describe_links(list_names(kinds))


def bind_where(
    where: Mapping[str, Any], kinds: tuple[str, ...], at: str, report: ReportProblem
) -> Where | None:
    """The conditions of a `where` as written; None if a problem was reported.

    `kinds` are the rule's events. `at` is the path of the `where` in the rule file, and each call of
    `report` has a path that begins with it, and the problem there.
    """
    problems: list[tuple[str, str]] = []
    binder = _Binder(kinds, problems)
    root = binder.level(where, WhereLevel((), list_names(kinds), at, "where"))
    parts = tuple(conjuncts(root)) if root is not None else ()
    if not problems:
        problems += [(at + path.removeprefix("where"), text) for path, text in find_contradictions(parts)]
    for problem in problems:
        report(*problem)
    return None if root is None or problems else Where(AllOf(parts), where)


class _Binder:
    def __init__(self, kinds: tuple[str, ...], problems: list[tuple[str, str]]) -> None:
        self.kinds = kinds
        self.problems = problems

    def report(self, path: str, text: str) -> None:
        self.problems.append((path, text))

    def level(self, written: object, level: WhereLevel) -> Node | None:
        """The node of a level: of a map, a list or a value."""
        if not isinstance(written, MAPPINGS):
            return self.value(written, level)
        if not written:
            self.report(level.at, f"is empty: write {describe_content(level)} in it, or remove it")
        nodes = [self.entry(key, value, level) for key, value in written.items()]
        return AllOf(tuple(node for node in nodes if node))

    def value(self, written: object, level: WhereLevel) -> Node | None:
        if not level.is_field:
            self.report(level.at, f"must be a map of {describe_content(level)}, not {quote_value(written)}")
            return None
        name = "in" if isinstance(written, list) else "equals"
        return self.condition(name, written, written, level)

    def entry(self, key: object, value: object, level: WhereLevel) -> Node | None:
        if len(self.problems) >= MAX_WHERE_PROBLEMS:
            return None
        if not isinstance(key, str):
            self.report(level.at, f"the key {quote_value(key)} is not text: put it in quotes")
            return None
        if key in COMBINATORS:
            return self.combined(key, value, level)
        if level.is_field:
            inside = WhereLevel(level.keys, level.names, f"{level.at}.{key}", level.path)
            return self.condition(key, value, {key: value}, inside)
        below = level.below(key)
        if below is None:
            self.report(f"{level.at}.{key}", self.unknown(key, level))
            return None
        return self.level(value, below)

    def combined(self, key: str, value: object, level: WhereLevel) -> Node | None:
        inside, item = level.inside(key), level.item(key)
        if item and key in QUANTIFIERS and isinstance(value, Mapping):
            return self.items(key, value, level, item)
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

    def items(
        self, key: str, value: Mapping[str, Any], level: WhereLevel, item: WhereLevel
    ) -> FieldCondition | None:
        """`any` or `all` with a map at a list: the conditions on one of its items, or on each."""
        node = self.level(value, item)
        if node is None:
            return None
        for path, text in find_contradictions(conjuncts(node)):
            self.report(item.at + path.removeprefix(item.path), text)
        return FieldCondition(level.path, level.keys, level.kind, QUANTIFIERS[key](node), {key: value})

    def condition(
        self, name: str, operand: object, wanted: object, level: WhereLevel
    ) -> FieldCondition | None:
        if operand is None:
            self.report(level.at, "null cannot be compared: write `absent: true` for a missing value")
            return None
        if isinstance(level.names, Items) and name not in operator:
            self.report(level.at, describe_items(level, level.names))
            return None
        try:
            condition = operator.find(name)(operand)
        except (UnknownNameError, ValueError) as error:
            self.report(level.at, str(error))
            return None
        if level.kind not in condition.fits:
            self.report(level.at, explain_misfit(name, condition, operand, level))
            return None
        return FieldCondition(level.path, level.keys, level.kind, condition, wanted)

    def unknown(self, key: str, level: WhereLevel) -> str:
        if key in operator:
            return f"'{key}' is an operator: write it below {describe_content(level)}"
        elsewhere = [kind for kind in sorted(NAMES) if level.is_root and key in NAMES[kind]]
        if elsewhere:
            return f"'{key}' is not part of {' or '.join(self.kinds)}: it belongs to {', '.join(elsewhere)}"
        if key == LINK and level.keys and level.keys[0] in STUDIO_PAGES:
            return f"'{key}' is computed for values of steps: write conditions on the other names"
        if remedy := suggest_level(key, level.keys, level.names):
            return remedy
        near = did_you_mean(key, [*level.below_names, *COMBINATORS])
        return f"unknown name '{key}'{near or f': write {describe_content(level)}'}"
