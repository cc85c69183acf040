"""The recent events that reached the app, also those that led to nothing."""

from dataclasses import dataclass

from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, operation
from mlevents.api.query_parameter import choice_parameter, limit_parameter, text_parameter, time_parameter
from mlevents.responses.recent_events import RecentEvent, read_recent_events

DECISIONS = ("matched", "unmatched", "redelivered", "refused", "quarantined", "disabled", "failed")


@dataclass(frozen=True, slots=True)
class EventPage:
    """The latest events."""

    events: list[RecentEvent]


@operation(
    "ListEvents",
    parameters=(
        text_parameter("type", "Those of one type, such as model.registered."),
        text_parameter("subject", "Those with this subject; exactly this text."),
        time_parameter("since", "Those received at or after this time."),
        choice_parameter("decision", "Those with one decision.", DECISIONS),
        limit_parameter(500, 100),
    ),
    answer=EventPage,
)
async def list_events(request: ApiRequest, app: AppState) -> ApiAnswer:
    """The recent events, the latest first, each with the first condition that failed for each rule."""
    query = dict(request.query)
    limit, since = query.pop("limit", 100), query.pop("since", None)
    found = [
        one
        for one in await read_recent_events(app.client)
        if all(one.get(name) == value for name, value in query.items())
        and (since is None or one["received"] >= since.isoformat())
    ]
    return ApiAnswer({"events": found[:limit]})
