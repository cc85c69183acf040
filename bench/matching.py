"""What one event costs to match, by the number of rules: the index, every rule, and other libraries.

    python -m bench.matching [--json]

Each rule has four equalities, of which one tells it from the others; one rule matches the event. The
others (rule-engine, json-logic-qubit) get the same rules and the same event where they are installed.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from bench.figure import Figure
from mlevents.events import Event, parse
from mlevents.matching.match import find_matches, plan
from mlevents.matching.where import Where, bind_where
from mlevents.rules.model import Defaults, Rule, Rules

SIZES = (10, 100, 1_000, 10_000)
TARGETS = {10: 20, 1_000: 30, 10_000: 50}
"""Microseconds an event may cost by the index, by the number of rules."""
INDEX = "mlevents, by index"
SLOW = 1_000
"""The most rules that are asked one by one by other libraries."""

type Match = Callable[[], int]


def rules(size: int) -> Rules:
    """So many rules with four equalities each."""
    found = tuple(
        Rule(id=f"r{n}", event=("model.registered",), where=bind(wanted(n)), steps=()) for n in range(size)
    )
    return Rules(found, {}, {}, Defaults(), Path("rules.yaml"))


def wanted(number: int) -> dict[str, Any]:
    """What the rule of this number wants, in the shape of the event."""
    tags = {"stage": "production", "team": f"team-{number}", "tier": "gold"}
    return {"model": {"name": f"model-{number % 50}", "tags": tags}}


def event(number: int) -> Event:
    """An event that the rule of this number matches."""
    model = wanted(number)["model"]
    return model_registered(model["tags"], model["name"])


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


def ours(size: int, found: Event) -> Iterator[tuple[str, Match]]:
    """The index, and asking every rule."""
    file = rules(size)
    yield INDEX, lambda: len(list(find_matches(file, found)))
    yield "mlevents, every rule", lambda: sum(verdict.matches for verdict in plan(file, found))


def rule_engine(size: int, found: Event) -> Match:
    """The same rules in rule-engine's language."""
    library = import_module("rule_engine")
    compiled = [library.Rule(_as_text(wanted(number))) for number in range(size)]
    return lambda: sum(rule.matches(found.names) for rule in compiled)


def json_logic(size: int, found: Event) -> Match:
    """The same rules in JsonLogic."""
    apply = import_module("json_logic").jsonLogic
    written = [_as_logic(wanted(number)) for number in range(size)]
    return lambda: sum(bool(apply(rule, found.names)) for rule in written)


OTHERS: Mapping[str, Callable[[int, Event], Match]] = {
    "rule-engine": rule_engine,
    "json-logic-qubit": json_logic,
}


def figures() -> Iterator[Figure]:
    """The cost of one event for each way to match and each number of rules."""
    for name, size, runs in measured():
        bound = TARGETS.get(size) if name == INDEX else None
        yield Figure(f"match one event, {size:,} rules, {name}", "µs", runs, bound)


def measured() -> Iterator[tuple[str, int, tuple[float, ...]]]:
    """The name of each way to match, the number of rules, and the microseconds of each round."""
    for size in SIZES:
        found = event(size // 2)
        for name, match in (*ours(size, found), *_others(size, found)):
            yield name, size, tuple(rounds(match))


def rounds(match: Match, expected: int = 1) -> Iterator[float]:
    """The microseconds of one call in each of five rounds; each call must find exactly so many rules."""
    match()
    started = time.perf_counter()
    if (found := match()) != expected:
        raise AssertionError(f"{expected} rules match the event, not {found}")
    calls = max(1, min(2_000, int(0.05 / (time.perf_counter() - started))))
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(calls):
            match()
        yield (time.perf_counter() - started) / calls * 1e6


def _others(size: int, found: Event) -> Iterator[tuple[str, Match]]:
    for name, make in OTHERS.items():
        if size > SLOW:
            continue
        try:
            yield name, make(size, found)
        except ImportError:
            if size == SIZES[0]:
                print(f"{name} is not installed: left out", file=sys.stderr)


def bind(where: Mapping[str, Any]) -> Where | None:
    """The conditions of a `where` on registered models."""

    def refuse(path: str, text: str) -> None:
        raise AssertionError(f"{path}: {text}")

    return bind_where(where, ("model.registered",), "where", refuse)


def _leaves(written: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    for key, value in written.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*at, key))
        else:
            yield ".".join((*at, key)), value


def _as_text(written: Mapping[str, Any]) -> str:
    return " and ".join(
        " == ".join(
            (
                f"{path.partition('.')[0]}" + "".join(f"['{part}']" for part in path.split(".")[1:]),
                f"'{value}'",
            )
        )
        for path, value in _leaves(written)
    )


def _as_logic(written: Mapping[str, Any]) -> dict[str, Any]:
    return {"and": [{"==": [{"var": path}, value]} for path, value in _leaves(written)]}


def main() -> None:
    """Print the growth curve, or with `--json` every figure."""
    if "--json" in sys.argv:
        print(json.dumps([one.to_json() for one in figures()], ensure_ascii=False, indent=2))
        return
    rows: dict[str, dict[int, str]] = {}
    for name, size, runs in measured():
        rows.setdefault(name, {})[size] = f"{median(runs):,.1f}"
    rows["target of the index"] = {size: str(bound) for size, bound in TARGETS.items()}
    print(f"{'µs an event, by rules':<24}" + "".join(f"{size:>12,}" for size in SIZES))
    for name, row in rows.items():
        print(f"{name:<24}" + "".join(f"{row.get(size, ''):>12}" for size in SIZES))


if __name__ == "__main__":
    main()
