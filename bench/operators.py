"""What one event costs to match, by operator and by the number of rules, when few of them match.

    python -m bench.operators

Rule N has one condition on a tag, and one rule matches. The rules of `all operators` have one operator after
another, each operator on a tag of its own, and the event has all of these tags.
"""

import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bench.figure import Figure
from bench.matching import bind, model_registered, rounds
from mlevents.matching.index import Index
from mlevents.matching.match import find_matches
from mlevents.rules.model import Defaults, Rule, Rules

SIZES = (10, 1_000, 10_000)
BOUND = 30.0
"""Microseconds an event may cost, for any operator and any number of rules."""
MANY = "all operators"
OPERATORS: Mapping[str, tuple[str, Callable[[int], Any]]] = {
    "equals": ("team-3-x", lambda number: f"team-{number}-x"),
    "in": ("team-3-x", lambda number: [f"team-{number}-x", f"crew-{number}"]),
    "prefix": ("team-3-x", lambda number: {"prefix": f"team-{number}-"}),
    "suffix": ("team-3-x", lambda number: {"suffix": f"-{number}-x"}),
    "contains": ("team-3-x", lambda number: {"contains": f"am-{number}-"}),
    "glob": ("team-3-x", lambda number: {"glob": f"*-{number}-x"}),
    "matches": ("team-3-x", lambda number: {"matches": rf"[a-z]+-{number}-\w"}),
    "any": ("team-3-x", lambda number: {"any": [{"prefix": f"team-{number}-"}, {"equals": f"c-{number}"}]}),
    "gt": ("3.2", lambda number: {"gt": number - 0.5}),
    "gte": ("3", lambda number: {"gte": number}),
    "lt": ("-3.2", lambda number: {"lt": 0.5 - number}),
    "lte": ("-3", lambda number: {"lte": -number}),
    "between": ("3", lambda number: {"between": [number - 0.5, number + 0.5]}),
    "version": ("3.1.5", lambda number: {"version": f">={number}.1, <{number}.2"}),
}
"""The value of the tag, and the condition of rule N: rule 3 matches."""
OTHERS = {**dict.fromkeys(("gt", "gte", "lt", "lte", "between"), "0"), "version": "0.1.5"}
"""Values that no rule matches, where a text without a number would be looked for nowhere."""


def figures() -> Iterator[Figure]:
    """One event at the most rules, for each operator and for all of them."""
    for name in (*OPERATORS, MANY):
        yield Figure(f"match one event, {SIZES[-1]:,} rules: {name}", "µs", measured(name, SIZES[-1]), BOUND)


def measured(name: str, size: int) -> tuple[float, ...]:
    """The microseconds of each round."""
    names = list(OPERATORS) if name == MANY else [name]
    first, *others = names
    tags = {f"tag-{one}": OTHERS.get(one, "team-0-y") for one in others}
    tags[f"tag-{first}"] = OPERATORS[first][0]
    rules, event = make_rules(names, size), model_registered(tags)
    return tuple(rounds(lambda: sum(1 for _ in find_matches(rules, event))))


def make_rules(names: list[str], size: int) -> Rules:
    """So many rules; with several operators, each has its rules 3, 4, 5 …"""
    wheres = (
        {"model": {"tags": {f"tag-{one}": OPERATORS[one][1](3 + number // len(names))}}}
        for number in range(size)
        for one in (names[number % len(names)],)
    )
    rules = (
        Rule(id=f"r{number}", event=("model.registered",), where=bind(where), steps=())
        for number, where in enumerate(wheres)
    )
    return Rules(tuple(rules), {}, {}, Defaults(), Path("rules.yaml"))


def measure_memory() -> float:
    """The megabytes of the index of the most rules, of all operators."""
    rules = make_rules(list(OPERATORS), SIZES[-1])
    tracemalloc.start()
    index = Index(rules.rules)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / 1e6 if index else 0.0


def main() -> None:
    """Print a line for each operator, and the memory of the largest index."""
    print(f"{'µs an event, by rules':<24}" + "".join(f"{size:>12,}" for size in SIZES))
    for name in (*OPERATORS, MANY):
        cells = (f"{median(measured(name, size)):>12,.1f}" for size in SIZES)
        print(f"{name:<24}" + "".join(cells))
    print(f"{'MB of the index':<24}{'':>24}{measure_memory():>12,.1f}")


if __name__ == "__main__":
    main()
