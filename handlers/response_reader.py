"""Reads responses from the task hub: a page at a time, and payloads only where they are needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import azure.durable_functions as df
from durabletask.client import OrchestrationQuery, OrchestrationState, Page, parse_orchestration_state
from durabletask.internal.client_helpers import build_query_instances_req
from google.protobuf.wrappers_pb2 import StringValue

from handlers.floods import total
from mlevents.actions.action import action
from mlevents.api.response_query import Place, ResponseQuery
from mlevents.registry import UnknownNameError
from mlevents.responses.response_view import (
    UNDER_WAY,
    View,
    count_of,
    counted,
    details,
    is_response,
    needs_payloads,
    status_of,
    view,
)

AT_ONCE = 8
"""Calls of the task hub that one request has under way."""
MOST_PAGES = 50
"""Pages of the task hub that one request reads; where they hold too few, the answer says where to go on."""
PARTS = 50
"""Sub-orchestrations of one response that are looked at."""

Workspaces = Mapping[str, str]
Parts = Mapping[str, Mapping[str, Any]]


class ResponseReader:
    """What one request reads."""

    def __init__(self, client: df.DurableFunctionsClient, workspaces: Workspaces) -> None:
        self.client = client
        self.workspaces = workspaces
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def page(self, query: ResponseQuery) -> tuple[list[dict[str, Any]], Place | None]:
        """Up to `limit` responses, the newest first, and where the next page begins if there may be more."""
        found: list[View] = []
        place = query.continuation
        for _ in range(MOST_PAGES):
            states = await self._hub_page(query.of_task_hub(), place.hub_page)
            there = [one for one in await self._wanted(states.items, query) if place.is_before(one)]
            room = query.limit - len(found)
            found += there[:room]
            if len(there) > room:
                last = there[room - 1].document
                return _documents(found), Place(place.hub_page, last["created"], last["id"])
            if states.continuation_token is None:
                return _documents(found), None
            place = Place(states.continuation_token)
            if len(found) == query.limit:
                break
        return _documents(found), place

    async def every(self, query: ResponseQuery) -> list[dict[str, Any]]:
        """All responses, the newest first."""
        found: list[View] = []
        async for states in self._hub_pages(query.of_task_hub()):
            found += await self._wanted(states, query)
        return _documents(found)

    async def one(self, response_id: str) -> dict[str, Any] | None:
        """One response with all that is stored of it; None when there is none."""
        state = await self.client.get_orchestration_state(response_id)
        if state is None or not is_response(state):
            return None
        found = details(state, await self._parts(view(state)))
        if found["status"] == "refused":
            found |= count_of(found, await total(self.client, response_id))
        return found

    async def _wanted(self, states: Iterable[OrchestrationState], query: ResponseQuery) -> list[View]:
        """The responses among these instances that the query wants, the newest first."""
        found = await asyncio.gather(*(self._whole(state) for state in states if is_response(state)))
        rough = query if query.status not in UNDER_WAY else replace(query, status=None)
        there = [one for one in found if rough.holds(view(one), self.workspaces)]
        views = await asyncio.gather(*map(self._view, there))
        return sorted((one for one in views if query.holds(one, self.workspaces)), key=_age, reverse=True)

    async def _whole(self, state: OrchestrationState) -> OrchestrationState:
        """The state with its payloads where they are needed, unless it was purged meanwhile."""
        if not needs_payloads(state):
            return state
        return await self._in_turn(self.client.get_orchestration_state(state.instance_id)) or state

    async def _view(self, state: OrchestrationState) -> View:
        found = view(state, await self._parts(view(state)))
        if found.document["status"] != "refused":
            return found
        return counted(found, await self._in_turn(total(self.client, state.instance_id)))

    async def _parts(self, found: View) -> Parts:
        """The custom statuses of a response's sub-orchestrations, the oldest first."""
        if not any(_has_part(step) for step in found.document["steps"]):
            return {}
        query = OrchestrationQuery(instance_id_prefix=f"{found.document['id']}.", max_instance_count=PARTS)
        states = await self._in_turn(self._hub_page(query, None))
        return {
            one.instance_id: status_of(one) for one in sorted(states.items, key=lambda one: one.created_at)
        }

    async def _hub_pages(self, query: OrchestrationQuery) -> AsyncIterator[list[OrchestrationState]]:
        token: str | None = None
        while True:
            states = await self._hub_page(query, token)
            yield states.items
            token = states.continuation_token
            if token is None:
                return

    async def _hub_page(self, query: OrchestrationQuery, token: str | None) -> Page[OrchestrationState]:
        """One page of the task hub, in its own order.

        The library's public method reads all pages; this makes one of its requests.
        """
        request = build_query_instances_req(query, StringValue(value=token) if token else None)
        answer = await self.client._get_stub().QueryInstances(request)
        states = [parse_orchestration_state(one) for one in answer.orchestrationState]
        following = answer.continuationToken.value
        return Page(states, following if following not in ("", "0", token) else None)

    async def _in_turn[T](self, call: Awaitable[T]) -> T:
        async with self._slots:
            return await call


def _documents(views: Iterable[View]) -> list[dict[str, Any]]:
    return [one.document for one in sorted(views, key=_age, reverse=True)]


def _age(one: View) -> tuple[str, str]:
    return one.document["created"], one.document["id"]


def _has_part(step: Mapping[str, Any]) -> bool:
    """Whether the step may have an orchestration of its own by now."""
    try:
        return step["status"] not in ("waiting", "skipped") and bool(action.find(step["uses"]).orchestrator)
    except UnknownNameError:
        return False
