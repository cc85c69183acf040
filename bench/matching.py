"""What one event costs to match, by the conditions of the rules and by their number, when one rule matches.

    python -m bench.matching

The rules of `four equalities` have three in common with many others. Those of an operator have one condition
on a tag. The rules of `all operators` have one operator after another, each on a tag of its own, and the
event has all of these tags.
"""

import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bench.figure import Figure
from mlevents.events import Event, parse
from mlevents.matching.index import Index
from mlevents.matching.match import find_matches, plan
from mlevents.matching.where import Where, bind_where
from mlevents.rules.model import Defaults, Rule, Rules

SIZES = (10, 1_000, 10_000)
BOUND = 30.0
"""Microseconds an event may cost, for any operator and any number of rules."""
FOUR, MANY = "four equalities", "all operators"
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

type Match = Callable[[], int]


def figures() -> Iterator[Figure]:
    """One event at the most rules, for each kind of conditions, and the memory of the largest index."""
    for name in (FOUR, *OPERATORS, MANY):
        runs = tuple(measured(name, SIZES[-1]))
        yield Figure(f"match one event, {SIZES[-1]:,} rules: {name}", "µs", runs, BOUND)
    yield Figure(f"index of {SIZES[-1]:,} rules: {MANY}", "MB", (measure_memory(),))


def measured(name: str, size: int) -> Iterator[float]:
    """The microseconds of each round."""
    rules, event = make_case(name, size)
    return rounds(lambda: sum(1 for _ in find_matches(rules, event)))


def measured_without_index(size: int) -> Iterator[float]:
    """The microseconds of each round in which every rule is tried."""
    rules, event = make_case(FOUR, size)
    return rounds(lambda: sum(one.matches for one in plan(rules, event)))


def make_case(name: str, size: int) -> tuple[Rules, Event]:
    """So many rules, and an event that one of them matches."""
    if name == FOUR:
        model = four_equalities(size // 2)["model"]
        return file_of(map(four_equalities, range(size))), model_registered(model["tags"], model["name"])
    names = list(OPERATORS) if name == MANY else [name]
    tags = {f"tag-{one}": OTHERS.get(one, "team-0-y") for one in names[1:]}
    tags[f"tag-{names[0]}"] = OPERATORS[names[0]][0]
    wheres = (
        {"model": {"tags": {f"tag-{one}": OPERATORS[one][1](3 + number // len(names))}}}
        for number in range(size)
        for one in (names[number % len(names)],)
    )
    return file_of(wheres), model_registered(tags)


def four_equalities(number: int) -> dict[str, Any]:
    """What the rule of this number wants, in the shape of the event."""
    tags = {"stage": "production", "team": f"team-{number}", "tier": "gold"}
    return {"model": {"name": f"model-{number % 50}", "tags": tags}}


def file_of(wheres: Iterator[Mapping[str, Any]]) -> Rules:
    """A rule file with these conditions on registered models."""
    rules = (
        Rule(id=f"r{number}", event=("model.registered",), where=bind(where), steps=())
        for number, where in enumerate(wheres)
    )
    return Rules(tuple(rules), {}, {}, Defaults(), Path("rules.yaml"))


def bind(where: Mapping[str, Any]) -> Where | None:
    """The conditions of a `where` on registered models."""

    def refuse(path: str, text: str) -> None:
        raise AssertionError(f"{path}: {text}")

    return bind_where(where, ("model.registered",), "where", refuse)


def model_registered(tags: Mapping[str, str], name: str = "model") -> Event:
    """The event of a model with these tags."""
    return parse(
        {
            "id": "1",
            "topic": "/subscriptions/0/resourceGroups/rg/providers/x/workspaces/ml",
            "subject": f"models/{name}:1",
            "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
            "eventTime": "2026-03-02T09:00:00Z",
            "data": {"modelName": name, "modelVersion": "1", "modelTags": dict(tags)},
        }
    )


def rounds(match: Match) -> Iterator[float]:
    """The microseconds of one call in each of five rounds; each call must find exactly one rule.

    They are those of the processor, so that other programs do not count.
    """
    match()
    started = time.process_time()
    if (found := match()) != 1:
        raise AssertionError(f"one rule matches the event, not {found}")
    calls = max(1, min(2_000, int(0.05 / (time.process_time() - started))))
    for _ in range(5):
        started = time.process_time()
        for _ in range(calls):
            match()
        yield (time.process_time() - started) / calls * 1e6


def measure_memory() -> float:
    """The megabytes of the index of the most rules, of all operators."""
    rules, _ = make_case(MANY, SIZES[-1])
    tracemalloc.start()
    index = Index(rules.rules)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / 1e6 if index else 0.0


def main() -> None:
    """Print a line for each kind of conditions, and the memory of the largest index."""
    print(f"{'µs an event, by rules':<24}" + "".join(f"{size:>12,}" for size in SIZES))
    for name in (FOUR, *OPERATORS, MANY):
        print(f"{name:<24}" + "".join(f"{median(measured(name, size)):>12,.1f}" for size in SIZES))
    every = (f"{median(measured_without_index(size)):>12,.1f}" for size in SIZES)
    print(f"{'without an index':<24}" + "".join(every))
    print(f"{'MB of the index':<24}{'':>24}{measure_memory():>12,.1f}")


if __name__ == "__main__":
    main()
