"""The entity that stores the newest version of a key, for rules that deploy nothing.

Its state is a maximum, so repeated or reordered operations give the same state. `forget` empties it when its
retention is over, unless another version has passed since it was found old.
"""

from typing import Any

from durabletask.entities import EntityContext

from mlevents.gates.order import newest
from mlevents.orchestration.endpoint_lease import FORGET

PASS, COMPARE = "pass", "compare"


def newest_version(context: EntityContext, version: Any) -> str:
    """The newest of the versions that have passed and this one; `pass` remembers it, `compare` does not."""
    known: str | None = context.get_state(str)
    if context.operation == FORGET:
        if known == version:
            context.set_state(None)
        return str(version)
    if context.operation not in (PASS, COMPARE):
        operations = f"the operations '{PASS}', '{COMPARE}' and '{FORGET}', not '{context.operation}'"
        raise ValueError(f"the entity NewestVersion has {operations}")
    found: str = version if known is None else newest(known, version)
    if found != known and context.operation == PASS:
        context.set_state(found)
    return found
