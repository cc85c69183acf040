"""The feed of a running sandbox: its Event Grid's journal, and the responses of the app's API."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from mlevents.commands.feed_state import Feed, FeedReading
from mlevents.commands.live_feed import follow_feed
from mlevents.commands.publication import describe_silence, load_sandbox_rules
from mlevents.commands.sandbox_client import NoSandboxError, SandboxClient, SandboxRefusal
from mlevents.events import Event
from mlevents.rules.model import Rules

RULES_SECONDS = 2.0
"""How long loaded rules are used before they are read again: an editor may have changed them."""
MOST_RESPONSES = 500


class SandboxSource:
    """Reads on from where the last reading ended."""

    def __init__(self, client: SandboxClient, started: datetime) -> None:
        self._client = client
        self._started = started
        self._after = 0
        self._since = started.isoformat().replace("+00:00", "Z")

    def read(self) -> FeedReading | None:
        """What is new, or may have changed; None while the app does not answer, as while it restarts."""
        try:
            journal = self._client.read_journal(after=self._after)
            responses = self._client.list_responses(since=self._since, limit=MOST_RESPONSES)
        except (NoSandboxError, SandboxRefusal):
            return None
        unsettled = [
            entry["number"]
            for entry in journal["events"]
            if any(one["state"] == "pending" for one in entry["deliveries"])
        ]
        self._after = min(unsettled, default=journal["last"] + 1) - 1
        active = [one["created"] for one in responses if one["status"] in ("running", "waiting")]
        latest = [one["created"] for one in responses[:1]]
        self._since = min([*active, *latest], default=self._since)
        new = [one for one in journal["events"] if datetime.fromisoformat(one["time"]) >= self._started]
        return FeedReading(tuple(new), tuple(responses))


class SilenceExplainer:
    """Says why no rule responds to an event, by the sandbox's rules."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self._ready = ready
        self._rules: Rules | None = None
        self._read_at = float("-inf")

    def __call__(self, event: Event) -> str:
        if time.monotonic() - self._read_at > RULES_SECONDS:
            self._rules = load_sandbox_rules(self._ready)
            self._read_at = time.monotonic()
        return describe_silence(self._rules, event)


def follow_sandbox(
    ready: Mapping[str, Any],
    is_over: Callable[[], bool],
    console: Console | None = None,
    started: datetime | None = None,
) -> None:
    """Show what happens in the sandbox with this ready file, from `started` or from now until `is_over`."""
    started = started or datetime.now(UTC)
    source = SandboxSource(SandboxClient(ready), started)
    follow_feed(Feed(SilenceExplainer(ready), started), source, is_over, console)
