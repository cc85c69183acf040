"""The claim: the first execution of a response takes it, and every other one gives way.

Starting an orchestration whose id has finished starts it again, and two deliveries may look at the
same moment; an entity's operations run one after another, so that here only one can be first.
"""

from typing import Any

from durabletask.entities import EntityContext


def claim(context: EntityContext, document: Any) -> Any:
    """`take` with a token gives null to the first, later what it did; `keep` stores what it did."""
    state = context.get_state(dict) or {}
    if context.operation == "keep":
        context.set_state({**state, "outcome": document})
        return None
    if context.operation != "take":
        raise ValueError(f"a claim knows 'take' and 'keep', not '{context.operation}'")
    if not state:
        context.set_state({"token": document, "outcome": None})
        return None
    if state["token"] == document:
        return None
    return {"outcome": state["outcome"]}


def endpoint(_context: EntityContext, _document: Any) -> None:
    """An online endpoint: holds nothing, and is there to be locked."""
