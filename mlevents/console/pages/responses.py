"""The page Responses: what became of events, with filters in the address."""

from datetime import timedelta

from mlevents.api.response_query import STATUSES
from mlevents.console.page import PageAnswer, PageRequest, page
from mlevents.console.pages.response import VERBS

_WINDOWS = {"1h": 1, "12h": 12, "24h": 24, "7d": 168}
"""Hours that the page offers to look back; `12h` is last night."""
_FILTERS = ("status", "rule", "workspace", "subject", "event_id", "since", "until", "limit", "continuation")
_PAGE_SIZE = "50"


@page("GET responses")
async def show_responses(request: PageRequest) -> PageAnswer:
    """The newest responses; a filter that cannot be read is an error with its reason."""
    chosen = {name: text for name, text in request.query.items() if name in (*_FILTERS, "last") and text}
    query = {name: text for name, text in chosen.items() if name in _FILTERS}
    if (hours := _WINDOWS.get(chosen.get("last", ""))) and "since" not in query:
        query["since"] = (request.now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = await request.call("ListResponses", query={"limit": _PAGE_SIZE, **query})
    more = found["continuation"]
    return request.show(
        "responses.html",
        "responses",
        responses=found["responses"],
        chosen=chosen,
        statuses=list(STATUSES),
        windows=list(_WINDOWS),
        more=more and request.url("responses", **{**chosen, "continuation": more}),
        notices=[("good", f"Done: {done}.")] if (done := request.query.get("done")) in VERBS else (),
    )
