"""The page Events: what reached the app, also what led to nothing, and why."""

from mlevents.api.event_operations import DECISIONS
from mlevents.console.page import PageAnswer, PageRequest, page
from mlevents.events import NAMES

_NAMES = ("type", "subject", "since", "decision", "limit")


@page("GET events")
async def show_events(request: PageRequest) -> PageAnswer:
    """The recent events, with the first condition that failed for each rule."""
    chosen = {name: text for name in _NAMES if (text := request.query.get(name))}
    found = await request.call("ListEvents", query=chosen)
    kept = request.app.settings().recent_events
    return request.show(
        "events.html",
        "events",
        events=found["events"],
        chosen=chosen,
        decisions=DECISIONS,
        types=sorted(NAMES),
        kept=kept,
    )
