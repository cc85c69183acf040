"""Which responses wait because an operator holds them, read from the task hub."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from durabletask.client import (
    AsyncTaskHubGrpcClient,
    OrchestrationQuery,
    OrchestrationState,
    OrchestrationStatus,
)

from mlevents.responses.hub_page import read_hub_page
from mlevents.responses.hub_state import status_of
from mlevents.responses.response_view import is_response, read_outcome

OPEN = (OrchestrationStatus.RUNNING, OrchestrationStatus.PENDING, OrchestrationStatus.SUSPENDED)
HELD_PAGE = 100
HELD_PREFIX = "hold:"
"""How the reason begins for which a held response waits."""


@dataclass(frozen=True, slots=True)
class HeldResponse:
    """One that waits: `order` is its event's time, then its arrival."""

    id: str
    rule: str
    order: tuple[float, float, str]


def is_waiting(state: OrchestrationState) -> bool:
    """Whether this is a response that an operator holds, and not one that waits at a gate."""
    return find_wait(state).startswith(HELD_PREFIX)


def is_at_gate(state: OrchestrationState) -> bool:
    """Whether this is a response that waits at a gate."""
    return bool(found := find_wait(state)) and not found.startswith(HELD_PREFIX)


def find_wait(state: OrchestrationState) -> str:
    """The reason for which a response waits before its steps; empty where it does not wait."""
    if state.runtime_status not in OPEN or not is_response(state):
        return ""
    status = status_of(state)
    return str(status.get("because")) if status.get("status") == "waiting" else ""


async def list_held(client: AsyncTaskHubGrpcClient) -> list[HeldResponse]:
    """All responses that wait; reads every page of what runs."""
    query = OrchestrationQuery(runtime_status=list(OPEN), max_instance_count=HELD_PAGE)
    found: list[HeldResponse] = []
    token: str | None = None
    while True:
        page = await read_hub_page(client, query, token)
        found += [describe_held(state) for state in page.items if is_waiting(state)]
        token = page.continuation_token
        if token is None:
            return found


def describe_held(state: OrchestrationState) -> HeldResponse:
    """A waiting response, by its custom status."""
    outcome = read_outcome(status_of(state))
    created = state.created_at.replace(tzinfo=UTC)
    with suppress(TypeError, ValueError):
        created = datetime.fromisoformat(outcome.event.time or "")
    order = (created.timestamp(), state.created_at.timestamp(), state.instance_id)
    return HeldResponse(state.instance_id, outcome.rule or "", order)


def count_held(held: Iterable[HeldResponse]) -> Counter[str]:
    """How many responses of each rule wait."""
    return Counter(one.rule for one in held)
