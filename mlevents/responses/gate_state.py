"""The entity GateState: what the gates of all rules remember, one instance for each gate, rule and key.

The gate's class says what an operation makes of the state. A state is stored with its expiry: the purge
forgets one that is over, unless it has changed since.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from durabletask.entities import EntityContext, EntityInstanceId

from mlevents.canonical import join_parts
from mlevents.gates.gate import gate
from mlevents.orchestration.endpoint_lease import FORGET
from mlevents.orchestration.function_names import GATE_STATE
from mlevents.orchestration.json_message import Json, JsonMessage
from mlevents.orchestration.serialization import to_text
from mlevents.responses.response_id import digest


@dataclass(frozen=True, slots=True)
class StoredState(JsonMessage):
    """The state of a gate; `expires` is ISO 8601, and left out for one that never does."""

    state: Json
    expires: str | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether nothing needs this state any more."""
        return self.expires is not None and datetime.fromisoformat(self.expires) <= now


def gate_state_id(name: str, rule: str, key: str) -> EntityInstanceId:
    """The entity of one gate of one rule, for one key of it."""
    return EntityInstanceId(GATE_STATE, f"{name}.{digest(join_parts(rule, key))}")


def read_stored_state(text: str | None) -> StoredState | None:
    """What an entity stores; None before the first operation."""
    return StoredState.from_json(json.loads(text)) if text else None


def gate_state(context: EntityContext, document: Any) -> str:
    """Perform an operation of the gate in the entity's key, with its JSON text; gives its answer."""
    text: str | None = context.get_state(str)
    if context.operation == FORGET:
        if text == document:
            context.set_state(None)
        return ""
    stored = read_stored_state(text)
    name, _, _ = context.entity_id.key.partition(".")
    change = gate.find(name).change_state(
        stored.state if stored else None, context.operation, json.loads(document)
    )
    kept = None
    if change.state is not None:
        expires = change.expires.isoformat() if change.expires else None
        kept = to_text(StoredState(change.state, expires).to_json())
    if kept != text:
        context.set_state(kept)
    return to_text(change.answer)
