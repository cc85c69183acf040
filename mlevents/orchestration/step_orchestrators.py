"""The orchestrators of actions, found by name: a function with this decorator, in a module of its own.

Only modules named `orchestrator` or `…_orchestrator` below `mlevents.actions` are imported to find them, so
a starting worker does not load the actions.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping

from durabletask.task import OrchestrationContext

from mlevents.orchestration.durable import Durable

type StepOrchestrator = Callable[[OrchestrationContext, str], Durable[str]]
PACKAGE, SUFFIX = "mlevents.actions", "orchestrator"

_found: dict[str, StepOrchestrator] = {}


def step_orchestrator(name: str) -> Callable[[StepOrchestrator], StepOrchestrator]:
    """Registers an orchestrator under the name of its function, which its action declares."""

    def register(function: StepOrchestrator) -> StepOrchestrator:
        if name.lower() in map(str.lower, _found):
            raise ValueError(f"two orchestrators are named '{name}'")
        _found[name] = function
        return function

    return register


def load_step_orchestrators() -> Mapping[str, StepOrchestrator]:
    """Every orchestrator of an action by the name of its function."""
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        if module.name.endswith(SUFFIX):
            importlib.import_module(module.name)
    return _found
