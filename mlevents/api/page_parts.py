"""The orchestrations of steps that a page of the task hub already has, so that few responses need a query."""

from bisect import bisect_left
from itertools import pairwise

from durabletask.client import OrchestrationQuery, OrchestrationState, Page

from mlevents.api.response_query import ENDED_WELL, OPEN_STATUSES
from mlevents.orchestration.start_policy import ENDED_BADLY
from mlevents.responses.response_id import part_id
from mlevents.responses.response_view import ResponseView, StepView

_STATUSES = {"running": OPEN_STATUSES, "failed": [*ENDED_WELL, *ENDED_BADLY]}
"""The statuses that the orchestration of a step may have, by the step's status; any other step has ended."""


class PageParts:
    """The instances of one page of this query, which Azure Storage lists in the order of their ids.

    The parts of a response follow it, because their ids begin with its id. In another order a page that looks
    sorted may lack them, so a step without a part is never taken for one that has none.
    """

    def __init__(self, page: Page[OrchestrationState], query: OrchestrationQuery) -> None:
        self._states = page.items
        self._ids = [one.instance_id for one in page.items]
        self._is_last = page.continuation_token is None
        self._query = query
        self._is_usable = not query.created_time_to and all(one < other for one, other in pairwise(self._ids))

    def find(self, found: ResponseView, steps: list[StepView]) -> list[OrchestrationState] | None:
        """The parts of a response, one for each of these steps at least; None where one may be missing."""
        first, end = f"{found.id}.", f"{found.id}/"  # "/" is the next character
        if not self._is_usable or not (self._is_last or self._ids[-1:] >= [end]):
            return None
        parts = self._states[bisect_left(self._ids, first) : bisect_left(self._ids, end)]
        known = [f"{one.instance_id}." for one in parts]
        return parts if all(self._has(known, found, step) for step in steps) else None

    def _has(self, known: list[str], found: ResponseView, step: StepView) -> bool:
        """Whether the latest part of a step is here, and not left out by the statuses of the query."""
        own = f"{part_id(found.id, step.id, found.attempt - 1)}."
        selected = self._query.runtime_status
        fits = not selected or set(_STATUSES.get(step.status, ENDED_WELL)) <= set(selected)
        return fits and any(name.startswith(own) for name in known)
