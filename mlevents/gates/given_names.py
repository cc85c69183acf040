"""The names that gates give to the steps of a rule, beside those of its event."""

from collections.abc import Collection, Mapping
from typing import Any

from mlevents.gates.gate import gate


def list_given_names(gates: Collection[str], names: Mapping[str, Any]) -> dict[str, Any]:
    """The roots that these gates give, each with the names below it; `names` are those of the events."""
    found: dict[str, Any] = {}
    for name, one in gate.items():
        if name in gates:
            found |= one.describe_names(names)
    return found


def list_run_time_roots() -> frozenset[str]:
    """The roots of values that are known only when a step runs."""
    return frozenset(("steps", "failure", "response", "endpoint", *list_given_names(gate.names(), {})))
