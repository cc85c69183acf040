"""The claim: what a response did is kept, so that whoever starts it again finds it done.

Starting an orchestration whose id has finished starts it again, and a delivery may look just before the
instance is there and start it just after it has ended. Of one id only one execution lives at a time: one
that finds nothing kept is the first, or goes on for one that broke off, which its steps allow.
"""

from typing import Any

from durabletask.entities import EntityContext


def claim(context: EntityContext, outcome: Any) -> Any:
    """`take` gives what was kept, null at first; `keep` keeps the outcome."""
    if context.operation == "keep":
        context.set_state(outcome)
        return None
    if context.operation == "take":
        return context.get_state(dict)
    raise ValueError(f"a claim knows 'take' and 'keep', not '{context.operation}'")
