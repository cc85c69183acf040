"""What has become of each event so far: its delivery, and the responses of the rules that it fires."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlevents.commands.publication import choose_kind, describe_delivery
from mlevents.errors import EventError
from mlevents.events import Event, parse
from mlevents.explanations.value_format import shorten_subject

ACTIVE = ("running", "waiting")
MOST_EVENTS = 500
"""Events that the feed remembers; the oldest that are over go first."""

type Marked = tuple[str, str]
"""A status, which decides the mark, and the text beside it."""


@dataclass(slots=True)
class FeedResponse:
    """One rule's response: `text` says all, `stage` what a reader must not miss."""

    rule: str
    status: str
    text: str
    stage: tuple[str, ...]

    @classmethod
    def read(cls, response: Mapping[str, Any]) -> "FeedResponse":
        """The response as the API lists it."""
        status, because = str(response["status"]), response.get("because") or ""
        steps = response.get("steps") or []
        step = next((one for one in steps if one["status"] == "running"), None)
        done = [one for one in steps if one["status"] == "done" and one["detail"]]
        stage: tuple[str, ...] = (status,)
        text = status
        if because:
            text = f"{status}: {because}"
            stage = (status, because if status not in ACTIVE else because.partition(":")[0])
        elif status == "running" and step:
            text = f"{step['id']}: {step['detail']}".removesuffix(": ")
            stage = (status, step["id"], *(str(one["phase"]) for one in (step.get("phases") or [])[-1:]))
        elif status == "done" and done:
            text = f"{status}: {done[0]['detail']}"
        return cls(str(response["rule"] or "no rule"), status, text, stage)


@dataclass(slots=True)
class FeedEvent:
    """One event; `note` is what there is to say where no rule responds."""

    id: str
    time: datetime
    kind: str
    subject: str
    workspace: str = ""
    note: Marked | None = None
    is_pending: bool = False
    responses: dict[str, FeedResponse] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected to happen."""
        return not self.is_pending and all(one.status not in ACTIVE for one in self.responses.values())


@dataclass(frozen=True, slots=True)
class FeedReading:
    """Entries of the journal, and responses of the API, newest first, that were read after them."""

    publications: tuple[Mapping[str, Any], ...] = ()
    responses: tuple[Mapping[str, Any], ...] = ()


class Feed:
    """The events, the oldest first. `explain_silence` says why no rule responds to an event.

    `started` leaves out responses to events from before.
    """

    def __init__(self, explain_silence: Callable[[Event], str], started: datetime) -> None:
        self.events: dict[str, FeedEvent] = {}
        self._explain_silence = explain_silence
        self._started = started

    def update(self, reading: FeedReading) -> None:
        """Take in what is known now."""
        for entry in reading.publications:
            self._find_event(entry)
        for response in reversed(reading.responses):
            self._add_response(response)
        for entry in reading.publications:
            self._judge_delivery(self._find_event(entry), entry)
        over = [key for key, one in self.events.items() if one.is_over]
        for key in over[: max(0, len(self.events) - MOST_EVENTS)]:
            del self.events[key]

    def _find_event(self, entry: Mapping[str, Any]) -> FeedEvent:
        key = f"{entry['event'].get('id')}"
        if key not in self.events:
            self.events[key] = _read_publication(entry)
        return self.events[key]

    def _add_response(self, response: Mapping[str, Any]) -> None:
        about = response["event"]
        key = str(about["id"] or response["id"])
        if key not in self.events:
            created = datetime.fromisoformat(response["created"])
            if created < self._started:
                return
            subject = shorten_subject(about["subject"] or "")
            self.events[key] = FeedEvent(key, created, about["type"] or "unreadable event", subject)
        self.events[key].responses[response["id"]] = FeedResponse.read(response)

    def _judge_delivery(self, event: FeedEvent, entry: Mapping[str, Any]) -> None:
        """Say what became of the delivery, unless a rule responds."""
        deliveries = entry["deliveries"]
        event.is_pending = any(one["state"] == "pending" for one in deliveries)
        if event.responses:
            event.note = None
        elif not deliveries:
            event.note = "dropped", "no subscription takes this event type"
        elif bad := next((one for one in deliveries if one["state"] != "delivered"), None):
            has_answer = bad["state"] != "pending" or bad["status"]
            event.note = (bad["state"], describe_delivery(bad)) if has_answer else None
        elif event.note is None:
            event.note = "silent", self._explain(entry["event"])

    def _explain(self, document: Mapping[str, Any]) -> str:
        try:
            return self._explain_silence(parse(document))
        except EventError as error:
            return f"the event cannot be read: {error}"


def _read_publication(entry: Mapping[str, Any]) -> FeedEvent:
    document, time = entry["event"], datetime.fromisoformat(entry["time"])
    try:
        event = parse(document)
    except EventError:
        kind = str(document.get("eventType") or document.get("type") or "")
        return FeedEvent(str(document.get("id")), time, kind, str(document.get("subject") or ""))
    workspace = str(event.names["workspace"].get("name", ""))
    return FeedEvent(event.id, time, choose_kind(event), shorten_subject(event.subject), workspace)
