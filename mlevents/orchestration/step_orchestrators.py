"""The orchestrators of actions, found by their files, so that a starting worker imports none of them.

`<name>_orchestrator.py`, anywhere below `mlevents.actions`, has the orchestrator `<name>`. The Functions host
knows it by the same name in camel case: RollOutModel is in `roll_out_model_orchestrator.py`.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PACKAGE, SUFFIX = "mlevents.actions", "_orchestrator"


@cache
def find_step_orchestrators() -> Mapping[str, str]:
    """The place of every orchestrator of an action, as `module:function`, by the name that the host knows."""
    folder = Path(importlib.import_module(PACKAGE).__path__[0])
    found = {}
    for file in sorted(folder.rglob(f"*{SUFFIX}.py")):
        module = ".".join((PACKAGE, *file.relative_to(folder).with_suffix("").parts))
        function = file.stem.removesuffix(SUFFIX)
        found[function.title().replace("_", "")] = f"{module}:{function}"
    return found
