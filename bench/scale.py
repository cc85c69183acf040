"""The tables of docs/scale.md: what Azure limits, and the rate of responses that follows.

    python -m bench.scale [--write]

Prints the tables, or writes them into the page, each between `<!-- scale: NAME -->` and `<!-- end -->`.
What a response asks is read from docs/costs.md.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from bench.figure import Figure
from bench.installation import Installation, find_limit, unmatched_rate
from bench.published_limits import (
    CONSUMPTION_ACTIONS,
    LIMITS,
    MOST_PARTITIONS,
    MOST_UNITS_OF_CAPACITY,
    UNIT_ACTIONS,
)
from bench.response_work import ResponseWork, read_work
from bench.simulation import simulate
from sandbox.sandbox_process import ROOT

PAGE = ROOT / "docs" / "scale.md"
INSTALLATIONS: Mapping[str, Installation] = {
    "as shipped": Installation(),
    f"{MOST_PARTITIONS} partitions": Installation(partitions=MOST_PARTITIONS),
    f"{MOST_PARTITIONS} partitions, 4,096 MB": Installation(partitions=MOST_PARTITIONS, memory=4_096),
    "scheduler, Consumption": Installation(actions=CONSUMPTION_ACTIONS),
    "scheduler, 1 unit": Installation(actions=UNIT_ACTIONS),
    f"scheduler, {MOST_UNITS_OF_CAPACITY} units": Installation(actions=MOST_UNITS_OF_CAPACITY * UNIT_ACTIONS),
}
PLAIN = "notify, nothing read from Azure ML"
TABLE = re.compile(r"(<!-- scale: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def figures() -> Iterator[Figure]:
    """The simulated rate of each kind of response on each installation."""
    for kind, name, _, _, simulated in find_rates():
        yield Figure(f"scale: {kind}, {name}", "responses/s", (simulated,))


def list_work() -> Iterator[ResponseWork]:
    """The kinds of responses of the page; a notification also without the look at the run that failed."""
    for work in read_work():
        if work.kind == "notify":
            yield replace(work, kind=PLAIN, reads=0)
        yield work


def find_rates() -> Iterator[tuple[str, str, str, float, float]]:
    """Kind, installations, what is reached first, the bound, and the simulated rate."""
    for work in list_work():
        rows = [(name, *find_limit(on, work)) for name, on in INSTALLATIONS.items()]
        for (limit, bound), same in groupby(rows, key=lambda row: row[1:]):
            names = [name for name, _, _ in same]
            shared = "any" if len(names) == len(rows) else ", ".join(names)
            yield work.kind, shared, limit, bound, simulate(INSTALLATIONS[names[0]], work)


def write_limits() -> Iterator[str]:
    """What Azure publishes."""
    yield from ("| what | limit | source |", "|---|---|---|")
    for one in LIMITS:
        yield f"| {one.what} | {one.limit} | [{one.page.rpartition('/')[2]}]({one.page}) |"


def write_work() -> Iterator[str]:
    """What a response asks."""
    columns = (
        "turns",
        "activities",
        "storage requests",
        "of the activities' queue",
        "actions",
        "reads",
        "writes",
    )
    yield from ("| response | " + " | ".join(columns) + " |", "|---" * (1 + len(columns)) + "|")
    for one in list_work():
        counts = (one.turns, one.activities, one.requests, one.work_items, one.actions, one.reads, one.writes)
        yield f"| {one.kind} | " + " | ".join(map(str, counts)) + " |"


def write_rates() -> Iterator[str]:
    """The highest rates, and what the simulation reaches."""
    yield from (
        "| response | installation | at most, a second | simulated | reached first |",
        "|---|---|---|---|---|",
    )
    for kind, name, limit, bound, simulated in find_rates():
        yield f"| {kind} | {name} | {_write_rate(bound)} | {_write_rate(simulated)} | {limit} |"


def write_events() -> Iterator[str]:
    """Events that match nothing, by the number of instances."""
    yield from ("| instances of 2,048 MB | events a second |", "|---|---|")
    for instances in (1, 10, 40, 100):
        yield f"| {instances} | {unmatched_rate(Installation(instances=instances)):,.0f} |"


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {
    "limits": write_limits,
    "work": write_work,
    "rates": write_rates,
    "events": write_events,
}


def write_tables(page: str) -> str:
    """The page with its tables as they are now; raises KeyError for a name that has none."""
    return TABLE.sub(lambda found: found[1] + "\n" + "\n".join(TABLES[found[2]]()) + "\n\n" + found[3], page)


def _write_rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def main() -> None:
    """Print every table, or write them into the page."""
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(write_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for name, write in TABLES.items():
        print(f"\n{name}\n")
        print("\n".join(write()))


if __name__ == "__main__":
    main()
