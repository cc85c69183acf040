"""The entity that stores the newest version of a key, for rules that deploy nothing.

Its state is a maximum, so repeated or reordered operations give the same state.
"""

from typing import Any

from durabletask.entities import EntityContext

from mlevents.gates.order import newest

PASS = "pass"


def newest_version(context: EntityContext, version: Any) -> str:
    """`pass` with a version: remembers it if it is the newest, and answers the newest."""
    if context.operation != PASS:
        raise ValueError(f"the entity NewestVersion has the operation 'pass', not '{context.operation}'")
    known: str | None = context.get_state(str)
    found: str = version if known is None else newest(known, version)
    if found != known:
        context.set_state(found)
    return found
