"""What an event costs of which few rules match, counted: no more among many rules than among few."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, SupportsIndex

import pytest

from bench.matching import OPERATORS
from mlevents.conditions.condition import operator
from mlevents.events import Event, parse
from mlevents.matching.match import find_matches, plan
from mlevents.rules.model import Rule, Rules
from tests.unit.call_count import count_python_calls
from tests.unit.events.event_samples import wire
from tests.unit.matching.where_samples import file_of, rule_of

FEW, MANY = 10, 100
"""The rules for each condition."""
CONDITIONS: dict[str, tuple[str, Callable[[int], Any]]] = {
    **{name: one for name, one in OPERATORS.items() if name != "any"},  # no name of a tag
    "not-in": ("team-3-x", lambda _: {"not-in": ["team-3-x", "crew"]}),
    "present": ("team-3-x", lambda number: {"present": True, "prefix": f"team-{number}-"}),
    "absent": ("team-3-x", lambda _: {"absent": True}),
}
"""For each operator the value of a tag that has its name, and the condition of rule N on this tag."""
COMBINATIONS: dict[str, Callable[[int], Any]] = {
    "any of two tags": lambda number: {
        "any": [{"in": {"equals": f"team-{number}-x"}}, {"gt": {"between": [number, number]}}]
    },
    "all": lambda number: {"all": [{"absent": {"present": True}}, {"in": f"team-{number}-x"}]},
    "a value or none": lambda number: {"absent": {"any": [{"absent": True}, f"team-{number}-x"]}},
    "not": lambda _: {"not": {"prefix": {"prefix": "team-"}}},
    "a shared condition beside one of its own": lambda number: {
        "in": "team-3-x",
        "prefix": f"team-{number}-y",
    },
    "a negation beside one of its own": lambda number: {
        "not-in": {"not-in": [f"crew-{number}"]},
        "absent": {"absent": True},
    },
}


class CountedRules(tuple[Rule, ...]):
    """Rules that count how many of them are tried."""

    tried = 0

    def __getitem__(self, number: SupportsIndex | slice) -> Any:
        self.tried += 1
        return super().__getitem__(number)


def make_rules(size: int, makers: list[Callable[[int], Any]]) -> Rules:
    """So many rules by each maker of conditions on tags."""
    wheres = (make(number) for number in range(size) for make in makers)
    return file_of(*(rule_of({"model": {"tags": where}}, name=f"r{n}") for n, where in enumerate(wheres)))


def count_work(rules: Rules, event: Event) -> tuple[int, int, int]:
    """The rules that match, those that are tried, and the calls of functions that it takes."""
    counted = CountedRules(rules.rules)
    file = replace(rules, rules=counted)
    assert list(find_matches(file, event)) == [one for one in plan(rules, event) if one.matches]
    counted.tried = 0
    calls, matching = count_python_calls(lambda: sum(1 for _ in find_matches(file, event)))
    return matching, counted.tried, calls


def on_tag(name: str) -> Callable[[int], Any]:
    return lambda number: {name: CONDITIONS[name][1](number)}


EVENT = parse(wire("ModelRegistered", {"modelTags": {name: one for name, (one, _) in CONDITIONS.items()}}))
MAKERS = {
    **{name: [on_tag(name)] for name in CONDITIONS},
    **{name: [one] for name, one in COMBINATIONS.items()},
}
MAKERS["all of these"] = [maker for one in list(MAKERS.values()) for maker in one]


def test_every_operator_is_among_the_conditions():
    assert set(CONDITIONS) == set(operator.names())


@pytest.mark.parametrize("name", MAKERS)
def test_ten_times_as_many_rules_cost_an_event_no_more(name: str):
    few, many = (count_work(make_rules(size, MAKERS[name]), EVENT) for size in (FEW, MANY))
    matching, tried, calls = many
    assert matching <= len(MAKERS[name]) * 5
    assert tried <= matching + len(MAKERS[name])
    assert calls <= 1.5 * few[2]
