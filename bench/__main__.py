"""`make bench`: what is claimed, measured on this machine; a table for people, then JSON."""

import json
import platform

from rich.console import Console
from rich.table import Table

from bench import (
    canary,
    cold_start,
    delivery,
    load,
    loading,
    matching,
    parsing,
    rule_libraries,
    scale,
    storage,
    throughput,
)
from bench.figure import Figure


def main() -> None:
    """Measure everything and print it."""
    figures: list[Figure] = [
        *canary.figures(),
        *cold_start.figures(),
        *delivery.figures(),
        *load.figures(),
        *loading.figures(),
        *matching.figures(),
        *parsing.figures(),
        *rule_libraries.figures(),
        *scale.figures(),
        *storage.figures(),
        *throughput.figures(),
    ]
    table = Table(
        "what",
        "median",
        "min",
        "max",
        "unit",
        "bound",
        title=f"on {platform.processor() or platform.machine()}",
    )
    for one in figures:
        bound = "—" if one.bound is None else f"{one.bound:g}"
        table.add_row(one.what, f"{one.median:g}", f"{one.least:g}", f"{one.most:g}", one.unit, bound)
    Console().print(table)
    print(json.dumps([one.to_json() for one in figures], indent=2))


main()
