"""Which gates of the language this version can carry out."""

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mlevents import gates
from mlevents.yamlfile.positions import PathProblem

GATES = ("max_age", "dedupe", "verify", "order", "require", "throttle", "group", "approve", "expect")


@cache
def list_installed_gates() -> frozenset[str]:
    """The gates that have a module; `mode` needs none."""
    return frozenset(module.name for module in pkgutil.iter_modules(gates.__path__))


def find_missing_gates(written: Mapping[str, Any]) -> Iterator[PathProblem]:
    """Each gate that is written in a rule or in the defaults and not there yet."""
    for name in GATES:
        if name in written and name not in list_installed_gates():
            yield name, f"the gate '{name}' is not available yet: remove it until a later version has it"
