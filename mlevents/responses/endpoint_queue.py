"""The entity that keeps versions in order: who waits for an endpoint.

An endpoint's entity is locked by the rollout that changes it; one that wants to be next joins first. A
locked entity hears its holder alone, so those who joined meanwhile are all known when the lock is free.
What serves is not remembered here: that stands in the deployments themselves.
"""

import json
from typing import Any

from durabletask.entities import EntityContext


def endpoint(context: EntityContext, text: Any) -> str | None:
    """`join` and `leave` with a ticket (JSON text: id, key, by); `leave` gives the tickets that stay."""
    tickets = {one["id"]: one for one in json.loads(context.get_state(str) or "[]")}
    if context.operation not in ("join", "leave"):
        raise ValueError(f"an endpoint knows 'join' and 'leave', not '{context.operation}'")
    ticket = json.loads(text)
    tickets.pop(ticket["id"], None)
    waiting = json.dumps(list(tickets.values()))
    if context.operation == "join":
        tickets[ticket["id"]] = ticket
    context.set_state(json.dumps(list(tickets.values())))
    return waiting
