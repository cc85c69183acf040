"""The entity TagCursor: where the next look at tags continues, if the last one did not reach all models."""

import json
from dataclasses import dataclass
from typing import Any

from durabletask.client import AsyncTaskHubGrpcClient
from durabletask.entities import EntityContext, EntityInstanceId

from mlevents.orchestration.function_names import TAG_CURSOR
from mlevents.orchestration.json_message import JsonMessage
from mlevents.orchestration.serialization import to_text

MOVE = "move"
CURSOR = EntityInstanceId(TAG_CURSOR, "next")


@dataclass(frozen=True, slots=True)
class TagCursor(JsonMessage):
    """The next model, and the link to the next page of its versions; empty begins with the first model.

    `moved` is when it was set; `not_before` is until when Azure asked to wait. Both are ISO 8601 in UTC.
    """

    moved: str = ""
    topic: str = ""
    model: str = ""
    following: str = ""
    not_before: str = ""

    @property
    def is_at_start(self) -> bool:
        """Whether the next look begins with the first model, without a wait."""
        return not (self.topic or self.not_before)


def tag_cursor(context: EntityContext, text: Any) -> str:
    """`move` sets the cursor, unless a later look has set it."""
    if context.operation != MOVE:
        raise ValueError(f"the entity TagCursor has the operation 'move', not '{context.operation}'")
    stored: str | None = context.get_state(str)
    if stored is None or TagCursor.from_json(json.loads(stored)).moved <= json.loads(text).get("moved", ""):
        context.set_state(text)
    return ""


async def read_cursor(client: AsyncTaskHubGrpcClient) -> TagCursor:
    """Where to go on."""
    found = await client.get_entity(CURSOR)
    text = found.get_typed_state(str) if found else None
    return TagCursor.from_json(json.loads(text)) if text else TagCursor()


async def move_cursor(client: AsyncTaskHubGrpcClient, cursor: TagCursor) -> None:
    """Set where the next look continues."""
    await client.signal_entity(CURSOR, MOVE, to_text(cursor.to_json()))
