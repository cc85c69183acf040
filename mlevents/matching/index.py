"""The rules that an event could match, found without trying every rule.

Each rule is indexed by the most selective equality or prefix that its `where` demands: the one whose
values the fewest other rules demand. A rule without such a demand is always a candidate.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlevents.canonical import fold
from mlevents.events import Event
from mlevents.matching.condition_tree import FieldCondition, find_value
from mlevents.matching.rule_protocol import MatchableRule

type Keys = tuple[str, ...]


class Demand(NamedTuple):
    """A field that an event must have to match a rule, with one of these values or prefixes."""

    keys: Keys
    is_prefix: bool
    values: tuple[object, ...]

    def entries(self) -> list[tuple[Keys, bool, object]]:
        """What is equal for the same demand in another rule."""
        return [(self.keys, self.is_prefix, value) for value in self.values]


class _Values:
    """The rules with a demand on one field, by value and by prefix."""

    def __init__(self) -> None:
        self.equal: dict[object, list[int]] = defaultdict(list)
        self.heads: dict[int, dict[str, list[int]]] = {}

    def add(self, number: int, demand: Demand) -> None:
        for value in demand.values:
            if demand.is_prefix:
                head = str(value)
                self.heads.setdefault(len(head), {}).setdefault(head, []).append(number)
            else:
                self.equal[value].append(number)

    def find(self, value: Any) -> Iterator[int]:
        text = fold(value) if isinstance(value, str) else value
        if isinstance(text, str | bool | int | float):
            yield from self.equal.get(text, ())
        if isinstance(text, str):
            for length, heads in self.heads.items():
                yield from heads.get(text[:length], ())


class _Kind:
    """The rules for one kind of event."""

    def __init__(self) -> None:
        self.always: list[int] = []
        self.fields: dict[Keys, _Values] = defaultdict(_Values)
        self.maps: dict[Keys, dict[str, _Values]] = defaultdict(lambda: defaultdict(_Values))

    def add(self, number: int, demand: Demand | None) -> None:
        if demand is None:
            self.always.append(number)
        elif len(demand.keys) > 2:
            self.maps[demand.keys[:-1]][demand.keys[-1]].add(number, demand)
        else:
            self.fields[demand.keys].add(number, demand)

    def find(self, names: Mapping[str, Any]) -> Iterator[int]:
        yield from self.always
        for keys, values in self.fields.items():
            yield from values.find(find_value(names, keys))
        for keys, known in self.maps.items():
            tags = find_value(names, keys) or {}
            for key in tags if len(tags) < len(known) else known:
                if key in tags and key in known:
                    yield from known[key].find(tags[key])


class Index:
    """The rules of a file, found by event."""

    def __init__(self, rules: Sequence[MatchableRule]) -> None:
        demands = [list(find_demands(rule)) for rule in rules]
        often = Counter(entry for one in demands for demand in one for entry in demand.entries())
        self.kinds: dict[str, _Kind] = defaultdict(_Kind)
        for number, rule in enumerate(rules):
            best = min(demands[number], key=lambda demand: _cost(demand, often), default=None)
            for kind in rule.event:
                self.kinds[kind].add(number, best)

    def candidates(self, event: Event) -> list[int]:
        """The numbers of the rules that could match, in file order; every rule that matches is among them."""
        found: set[int] = set()
        for kind in ("*", *event.kinds):
            if kind in self.kinds:
                found.update(self.kinds[kind].find(event.names))
        return sorted(found)


def find_demands(rule: MatchableRule) -> Iterator[Demand]:
    """Every equality and prefix without which the rule cannot match."""
    for part in rule.where.conjuncts() if rule.where else ():
        if not isinstance(part, FieldCondition) or part.kind == "list":
            continue
        clause = part.condition.clause()
        if clause is None:
            continue
        if clause.operator == "BeginsWith":
            yield Demand(part.keys, True, clause.values)
        elif clause.operator == "In":
            yield Demand(part.keys, False, tuple(map(_folded, clause.values)))


def _folded(value: object) -> object:
    return fold(value) if isinstance(value, str) else value


def _cost(demand: Demand, often: Counter[tuple[Keys, bool, object]]) -> int:
    return sum(often[entry] for entry in demand.entries())
