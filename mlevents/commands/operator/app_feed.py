"""The feed of an app by its API alone: its responses as they go."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import typer

from mlevents.commands.feed_state import ACTIVE, Feed, FeedReading
from mlevents.commands.live_feed import FeedSource, follow_feed
from mlevents.commands.operator.response_list import MOST_SEARCHED, read_responses
from mlevents.services.app_client import AppClient, AppRefusedError, NoAnswerError

_RESTARTING = (502, 503, 504)
"""What a host or a gateway answers while the app restarts."""


class AppSource:
    """Reads the responses that match a query: new ones, and those that run at the first reading."""

    def __init__(self, app: AppClient, query: Mapping[str, str], started: datetime) -> None:
        self._app = app
        self._status = query.get("status")
        self._query = {name: value for name, value in query.items() if name != "status"}
        self._since = query.get("since")
        self._started = started.isoformat().replace("+00:00", "Z")
        self._known: set[str] = set()

    def read(self) -> FeedReading | None:
        """What is new, or may have changed; None while the app does not answer."""
        found = read_unless_restarting(self._read_all)
        if found is None:
            return None
        active = [one["created"] for one in found if one["status"] in ACTIVE]
        latest = [one["created"] for one in found]
        self._since = min([*active, max(latest)]) if latest else self._since or self._started
        wanted = [one for one in found if one["id"] in self._known or self._status in (None, one["status"])]
        self._known |= {one["id"] for one in wanted}
        return FeedReading(responses=tuple(sorted(wanted, key=lambda one: one["created"], reverse=True)))

    def _read_all(self) -> list[dict[str, Any]]:
        queries = [{**self._query, "since": self._since or self._started}]
        if self._since is None:
            queries += [{**self._query, "status": status} for status in ACTIVE]
        found: dict[str, dict[str, Any]] = {}
        for query in queries:
            found |= {one["id"]: one for one in islice(read_responses(self._app, query), MOST_SEARCHED)}
        return list(found.values())


class ResponseSource:
    """Reads one response; `latest` is what it last was."""

    def __init__(self, app: AppClient, response_id: str) -> None:
        self._app, self._path = app, f"responses/{quote(response_id, safe='')}"
        self.latest: dict[str, Any] = {}

    def read(self) -> FeedReading | None:
        """The response; None while the app does not answer."""
        found = read_unless_restarting(lambda: self._app.read(self._path))
        if found is None:
            return None
        self.latest = found
        return FeedReading(responses=(found,))

    def has_ended(self) -> bool:
        """Whether the response has ended."""
        return bool(self.latest) and self.latest["status"] not in ACTIVE


def read_unless_restarting[T](read: Callable[[], T]) -> T | None:
    """What is read; None while the app restarts. Raises AppRefusedError for any other refusal."""
    try:
        return read()
    except NoAnswerError:
        return None
    except AppRefusedError as error:
        if error.status in _RESTARTING:
            return None
        raise


def follow_app(source: FeedSource, is_over: Callable[[], bool] = lambda: False) -> None:
    """Show the feed until `is_over`, or until it is interrupted."""
    feed = Feed(lambda _: "", datetime.min.replace(tzinfo=UTC))
    try:
        follow_feed(feed, source, is_over)
    except KeyboardInterrupt:
        raise typer.Exit from None
