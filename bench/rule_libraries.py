"""What one event costs by other libraries for rules, with the same rules and the same event.

    python -m bench.rule_libraries

The others (rule-engine, json-logic-qubit) are measured where they are installed; they try every rule.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from statistics import median
from typing import Any

from bench.figure import Figure
from bench.matching import FOUR, Match, four_equalities, make_case, measured, rounds
from mlevents.events import Event

SIZES = (10, 1_000)


def rule_engine(size: int, event: Event) -> Match:
    """The rules in rule-engine's language."""
    library = import_module("rule_engine")
    compiled = [library.Rule(_as_text(four_equalities(number))) for number in range(size)]
    return lambda: sum(rule.matches(event.names) for rule in compiled)


def json_logic(size: int, event: Event) -> Match:
    """The rules in JsonLogic."""
    apply = import_module("json_logic").jsonLogic
    written = [_as_logic(four_equalities(number)) for number in range(size)]
    return lambda: sum(bool(apply(rule, event.names)) for rule in written)


LIBRARIES: Mapping[str, Callable[[int, Event], Match]] = {
    "rule-engine": rule_engine,
    "json-logic-qubit": json_logic,
}


def figures() -> Iterator[Figure]:
    """The cost of one event, for each library and each number of rules."""
    for name, runs in measure_libraries():
        for size, found in zip(SIZES, runs, strict=True):
            yield Figure(f"match one event, {size:,} rules, {name}", "µs", found)


def measure_libraries() -> Iterator[tuple[str, list[tuple[float, ...]]]]:
    """Each library that is installed, and for each number of rules the microseconds of each round."""
    for name, make in LIBRARIES.items():
        try:
            yield name, [tuple(rounds(make(size, make_case(FOUR, size)[1]))) for size in SIZES]
        except ImportError:
            print(f"{name} is not installed: left out", file=sys.stderr)


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
    """Print a line for each library, after our own."""
    print(f"{'µs an event, by rules':<24}" + "".join(f"{size:>12,}" for size in SIZES))
    ours = [tuple(measured(FOUR, size)) for size in SIZES]
    for name, runs in (("mlevents", ours), *measure_libraries()):
        print(f"{name:<24}" + "".join(f"{median(found):>12,.1f}" for found in runs))


if __name__ == "__main__":
    main()
