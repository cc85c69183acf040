"""Reads responses from the task hub: a page at a time, and payloads only where they are needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from durabletask.client import (
    AsyncTaskHubGrpcClient,
    OrchestrationQuery,
    OrchestrationState,
    Page,
)

from mlevents.actions.action import action
from mlevents.api.page_parts import PageParts
from mlevents.api.response_details import describe_details
from mlevents.api.response_query import PagePosition, ResponseQuery
from mlevents.orchestration.step_status import StepStatus
from mlevents.registry import UnknownNameError
from mlevents.responses.flood import read_total
from mlevents.responses.hub_page import read_hub_page
from mlevents.responses.hub_state import status_of
from mlevents.responses.response_view import (
    UNSETTLED,
    ListedResponse,
    Parts,
    ResponseView,
    StepView,
    add_count,
    is_response,
    needs_payloads,
    view_response,
)

AT_ONCE = 8
"""Calls of the task hub that one request has under way."""
MOST_PAGES = 50
"""Pages of the task hub that one request reads; where they hold too few, the answer says where to go on."""
PARTS = 50
"""Sub-orchestrations of one response that are looked at."""

Workspaces = Mapping[str, str]


class ResponseReader:
    """What one request reads."""

    def __init__(self, client: AsyncTaskHubGrpcClient, workspaces: Workspaces) -> None:
        self.client = client
        self.workspaces = workspaces
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def page(self, query: ResponseQuery) -> tuple[list[ResponseView], PagePosition | None]:
        """Up to `limit` responses, the newest first, and where the next page begins if there may be more."""
        found: list[ListedResponse] = []
        place = query.continuation
        for _ in range(MOST_PAGES):
            states = await self._hub_page(query.to_hub_query(), place.hub_page)
            there = [one for one in await self._select(states, query) if place.is_before(one)]
            room = query.limit - len(found)
            found += there[:room]
            if len(there) > room:
                last = there[room - 1].view
                return _sort(found), PagePosition(place.hub_page, last.created, last.id)
            if states.continuation_token is None:
                return _sort(found), None
            place = PagePosition(states.continuation_token)
            if len(found) == query.limit:
                break
        return _sort(found), place

    async def every(self, query: ResponseQuery) -> list[ResponseView]:
        """All responses, the newest first."""
        found: list[ListedResponse] = []
        async for states in self._hub_pages(query.to_hub_query()):
            found += await self._select(states, query)
        return _sort(found)

    async def one(self, response_id: str, now: datetime, tenant: str = "") -> dict[str, Any] | None:
        """One response with all that is stored of it, see `describe_details`; None when there is none."""
        state = await self.client.get_orchestration_state(response_id)
        if state is None or not is_response(state):
            return None
        return describe_details(state, (await self._read_view(state)).view, now, tenant)

    async def _select(self, states: Page[OrchestrationState], query: ResponseQuery) -> list[ListedResponse]:
        """The responses among these instances that the query wants, the newest first."""
        found = await asyncio.gather(*(self._fetch(state) for state in states.items if is_response(state)))
        rough = query if query.status not in UNSETTLED else replace(query, status=None)
        there = [one for one in found if rough.selects(view_response(one), self.workspaces)]
        parts = PageParts(states, query.to_hub_query())
        views = await asyncio.gather(*(self._read_view(one, parts) for one in there))
        return sorted((one for one in views if query.selects(one, self.workspaces)), key=_age, reverse=True)

    async def _fetch(self, state: OrchestrationState) -> OrchestrationState:
        """The state with its payloads where they are needed, unless it was purged meanwhile."""
        if not needs_payloads(state):
            return state
        return await self._limit(self.client.get_orchestration_state(state.instance_id)) or state

    async def _read_view(self, state: OrchestrationState, page: PageParts | None = None) -> ListedResponse:
        found = view_response(state, await self._read_parts(view_response(state).view, page))
        if found.view.status != "refused":
            return found
        count = await self._limit(read_total(self.client, state.instance_id))
        return replace(found, view=add_count(found.view, count))

    async def _read_parts(self, found: ResponseView, page: PageParts | None) -> Parts:
        """The custom statuses of a response's sub-orchestrations, the oldest first.

        They are on the page of the response, if not at its end.
        """
        steps = [step for step in found.steps if _has_part(step)]
        if not steps:
            return {}
        states = page.find(found, steps) if page else None
        if states is None:
            query = OrchestrationQuery(instance_id_prefix=f"{found.id}.", max_instance_count=PARTS)
            states = (await self._limit(self._hub_page(query, None))).items
        return {
            one.instance_id: StepStatus.from_json(status_of(one))
            for one in sorted(states, key=lambda one: one.created_at)
        }

    async def _hub_pages(self, query: OrchestrationQuery) -> AsyncIterator[Page[OrchestrationState]]:
        token: str | None = None
        while True:
            states = await self._hub_page(query, token)
            yield states
            token = states.continuation_token
            if token is None:
                return

    async def _hub_page(self, query: OrchestrationQuery, token: str | None) -> Page[OrchestrationState]:
        return await read_hub_page(self.client, query, token)

    async def _limit[T](self, call: Awaitable[T]) -> T:
        """The call's result; at most `AT_ONCE` run at a time."""
        async with self._slots:
            return await call


def _sort(views: Iterable[ListedResponse]) -> list[ResponseView]:
    return [one.view for one in sorted(views, key=_age, reverse=True)]


def _age(one: ListedResponse) -> tuple[str, str]:
    return one.view.created, one.view.id


def _has_part(step: StepView) -> bool:
    """Whether the step may have an orchestration of its own by now."""
    try:
        return step.status not in ("waiting", "skipped") and bool(action.find(step.uses).orchestration)
    except UnknownNameError:
        return False
