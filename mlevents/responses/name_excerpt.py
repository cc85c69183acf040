"""Cuts the names of an event to a number of characters, so that many events fit into one response."""

from collections.abc import Mapping
from typing import Any

from mlevents.orchestration.json_message import Json
from mlevents.orchestration.size_limits import cut_document, cut_text, json_units

LONGEST_VALUE = 100
LAST_ROOTS = ("event", "workspace")
"""What is left out first."""


def cut_names(names: Json, units: int) -> dict[str, Any]:
    """The names with long texts and lists cut; where that is not enough, as many single values as fit."""
    found = cut_document(names, units)
    return _keep_values(names, units) if "omitted" in found else found


def _keep_values(names: Json, units: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for root in sorted(names, key=lambda one: one in LAST_ROOTS):
        for name, value in names[root].items() if isinstance(names[root], Mapping) else ():
            if isinstance(value, Mapping | list | tuple):
                continue
            short = cut_text(value, LONGEST_VALUE) if isinstance(value, str) else value
            longer = {**found, root: {**found.get(root, {}), name: short}}
            found = longer if json_units(longer) <= units else found
    return found
