"""The rules that an event could match, found without trying every rule.

Each rule is found by the most selective part of its `where`: the one whose lookups the fewest other rules
have. A part of `any` counts when each of its alternatives has lookups. A rule without such a part, such as
one with `not-in` alone, is a candidate where the condition holds that the most of these rules have: a
condition is asked once an event, however many rules have it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlevents.conditions.clause_lookups import find_lookups
from mlevents.conditions.lookup import Interval, Lookup, NoValue
from mlevents.events import Event
from mlevents.matching.condition_tree import AllOf, AnyOf, FieldCondition, Node, find_value
from mlevents.matching.rule_protocol import MatchableRule
from mlevents.matching.value_index import ValueIndex
from mlevents.matching.where import Where

type Keys = tuple[str, ...]

ABSENCE = 1_000_000
"""What an absent value counts for, in rules: most tags are absent from most events."""


class FieldLookup(NamedTuple):
    """A lookup on the field to which the keys lead."""

    keys: Keys
    lookup: Lookup

    @property
    def entry(self) -> object:
        """What is equal for lookups that find the same rules; any interval may contain a value."""
        return self.keys, self.lookup.read if isinstance(self.lookup, Interval) else self.lookup


class Choice(NamedTuple):
    """Lookups of which an event has at least one, and how many rules have them."""

    cost: int
    lookups: tuple[FieldLookup, ...]


class _Kind:
    """The rules for one kind of event: by field, and by the tags and properties that an event has."""

    def __init__(self) -> None:
        self.always: list[int] = []
        self.shared: dict[str, tuple[Node, list[int]]] = {}
        self.fields: dict[Keys, list[tuple[Lookup, int]]] = defaultdict(list)

    def freeze(self) -> None:
        """Build the indexes, once every rule is there."""
        self.values: dict[Keys, ValueIndex] = {}
        self.maps: dict[Keys, dict[str, ValueIndex]] = defaultdict(dict)
        for keys, entries in self.fields.items():
            if len(keys) > 2:
                self.maps[keys[:-1]][keys[-1]] = ValueIndex(entries)
            else:
                self.values[keys] = ValueIndex(entries)
        self.missing = {
            keys: [key for key, one in known.items() if one.missing] for keys, known in self.maps.items()
        }

    def collect(self, names: Mapping[str, Any], found: set[int]) -> None:
        """Add the numbers of the rules that these names may fulfil."""
        found.update(self.always)
        for node, numbers in self.shared.values():
            if node.holds(names):
                found.update(numbers)
        for keys, values in self.values.items():
            values.collect(find_value(names, keys), found)
        for keys, known in self.maps.items():
            tags = find_value(names, keys) or {}
            for key in tags if len(tags) < len(known) else known:
                if key in tags and key in known:
                    known[key].collect(tags[key], found)
            for key in self.missing[keys]:
                if key not in tags:
                    found.update(known[key].missing)


class Index:
    """The rules of a file, found by event."""

    def __init__(self, rules: Sequence[MatchableRule]) -> None:
        often = Counter(
            one.entry
            for rule in rules
            for field in (rule.where.root.fields() if rule.where else ())
            for one in list_lookups(field)
        )
        self.kinds: dict[str, _Kind] = defaultdict(_Kind)
        others: list[tuple[int, MatchableRule]] = []
        for number, rule in enumerate(rules):
            best = choose_lookups(rule.where.root, often) if rule.where else None
            if best is None:
                others.append((number, rule))
                continue
            for kind in map(self.kinds.__getitem__, rule.event):
                for keys, lookup in best.lookups:
                    kind.fields[keys].append((lookup, number))
        self._add_others(others)
        for one in self.kinds.values():
            one.freeze()

    def _add_others(self, rules: Sequence[tuple[int, MatchableRule]]) -> None:
        """Add the rules that have no lookups, each by the condition that the most of them have."""
        parts = {number: _name_parts(rule.where) for number, rule in rules}
        often = Counter(name for own in parts.values() for name in own)
        for number, rule in rules:
            name = max(parts[number], key=often.__getitem__, default=None)
            for kind in map(self.kinds.__getitem__, rule.event):
                if name is None:
                    kind.always.append(number)
                else:
                    kind.shared.setdefault(name, (parts[number][name], []))[1].append(number)

    def candidates(self, event: Event) -> list[int]:
        """The numbers of the rules that could match, in file order; every rule that matches is among them."""
        found: set[int] = set()
        for kind in ("*", *event.kinds):
            if kind in self.kinds:
                self.kinds[kind].collect(event.names, found)
        return sorted(found)


def _name_parts(where: Where | None) -> dict[str, Node]:
    """The parts of a `where` that must all hold, by what is equal for parts that say the same."""
    parts = where.conjuncts() if where else ()
    return {f"{one.path} {json.dumps(one.wanted, sort_keys=True, default=repr)}": one for one in parts}


def list_lookups(field: FieldCondition) -> tuple[FieldLookup, ...]:
    """The lookups of a condition, at its field."""
    return tuple(FieldLookup(field.keys, one) for one in find_lookups(field.condition))


def choose_lookups(node: Node, often: Mapping[object, int]) -> Choice | None:
    """The lookups by which the fewest rules are found with this one; None if it may hold without any."""
    match node:
        case FieldCondition():
            lookups = list_lookups(node)
            cost = sum(often[one.entry] + ABSENCE * isinstance(one.lookup, NoValue) for one in lookups)
            return Choice(cost, lookups) if lookups else None
        case AllOf():
            parts = [choose_lookups(part, often) for part in node.nodes]
            return min((one for one in parts if one), key=lambda one: one.cost, default=None)
        case AnyOf():
            parts = [choose_lookups(part, often) for part in node.nodes]
            known = [one for one in parts if one]
            if len(known) < len(parts):
                return None
            return Choice(
                sum(one.cost for one in known), tuple(one for part in known for one in part.lookups)
            )
    return None
