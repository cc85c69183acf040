"""How many dead letters there are, why, and how to replay them: for messages and the health."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from mlevents.eventgrid.dead_letter_store import DeadLetterStore, read_blob
from mlevents.events.dead_letter import DeadLetter
from mlevents.services.blob_container import StoredBlob

MOST_BLOBS_READ = 50
"""The newest blobs, whose reasons are counted; of the others each counts as one event."""
_UNKNOWN = "unknown reason"


@dataclass(frozen=True, slots=True)
class DeadLetterSurvey:
    """The dead letters of some time; `newest` is when the last one was written.

    `first` is the earliest event time among them, ISO 8601. `reasons` are the most frequent first.
    """

    events: int
    reasons: tuple[tuple[str, int], ...] = ()
    first: str | None = None
    newest: datetime | None = None

    def describe(self) -> str:
        """How many, and why, in one sentence."""
        events = "1 event" if self.events == 1 else f"{self.events:,} events"
        reasons = ", ".join(f"{reason} ({count})" for reason, count in self.reasons)
        return f"Event Grid gave up {events}: {reasons}"


def survey_letters(store: DeadLetterStore, since: datetime, until: datetime) -> DeadLetterSurvey:
    """The dead letters that were written after `since`, and at `until` or before; raises ActionError."""
    blobs = [one for one in store.list_blobs(since) if since < one.modified <= until]
    if not blobs:
        return DeadLetterSurvey(0)
    blobs.sort(key=_modified, reverse=True)
    found = [one.letter for blob in blobs[:MOST_BLOBS_READ] for one in read_blob(store, blob)]
    letters = [one for one in found if isinstance(one, DeadLetter)]
    reasons = Counter(one.reason or _UNKNOWN for one in letters)
    reasons[_UNKNOWN] += len(found) - len(letters)
    times = sorted(one.happened for one in letters if one.happened)
    count = len(found) + max(0, len(blobs) - MOST_BLOBS_READ)
    ordered = tuple((+reasons).most_common())
    return DeadLetterSurvey(count, ordered, times[0] if times else None, blobs[0].modified)


def write_replay_command(place: str, app: str, since: str | None) -> str:
    """The command that replays them, a dry run first."""
    to = f" --app {app}" if app else ""
    return f"mlevents replay {place}{to}{f' --since {since}' if since else ''} --dry-run"


def _modified(blob: StoredBlob) -> datetime:
    return blob.modified.astimezone(UTC)
