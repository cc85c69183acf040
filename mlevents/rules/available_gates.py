"""Gates that the language has and this version does not: `check` says so, and nothing offers them."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.gates.gate import gate, gates_in_order
from mlevents.yamlfile.positions import PathProblem

PLANNED = ("verify", "throttle", "group", "budget", "window", "approve", "expect")
"""A gate of this list that has a module exists like any other."""


def list_missing_gates(written: Mapping[str, Any]) -> list[str]:
    """The gates that are written in a rule or in the defaults, and do not exist."""
    return [name for name in PLANNED if name in written and name not in gate.names()]


def find_missing_gates(written: Mapping[str, Any]) -> Iterator[PathProblem]:
    """Each gate that is written in a rule or in the defaults, and does not exist."""
    for name in list_missing_gates(written):
        known = ", ".join(gates_in_order())
        yield name, f"the gate '{name}' does not exist in this version: remove it, or use one of {known}"


def without_missing_gates(written: Mapping[str, Any]) -> dict[str, Any]:
    """The rule file as written, without the gates that do not exist: these are reported apart."""
    known = dict(written)
    if isinstance(defaults := written.get("defaults"), dict):
        known["defaults"] = _known(defaults)
    if isinstance(rules := written.get("rules"), list):
        known["rules"] = [_known(rule) if isinstance(rule, dict) else rule for rule in rules]
    return known


def _known(written: dict[str, Any]) -> dict[str, Any]:
    missing = list_missing_gates(written)
    return {key: value for key, value in written.items() if key not in missing} if missing else written
