"""When expected events came: the state of the gate `expect`, pure, so an arrival may be recorded twice.

Arrivals are kept in spans as long as the gate waits, the first and the last one of each. That is enough to
say whether one came within any time of this length, and bounded however many come.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

ARRIVALS_KEPT = timedelta(days=7)
"""How long an arrival is kept beyond the time for which the gate waits."""
MOST_SPANS = 500


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """One event that came: its time, UTC in ISO 8601, its id and its kind."""

    time: str
    id: str
    kind: str

    @property
    def moment(self) -> datetime:
        """Its time."""
        return datetime.fromisoformat(self.time)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrivals of one key; `seconds` is how long the gate waits, `ends` has two arrivals of each span.

    `began` is when a timer looked first, ISO 8601; None for a gate that no timer looks at.
    """

    seconds: float
    ends: tuple[Arrival, ...] = ()
    began: str | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The arrivals that `to_json` wrote."""
        ends = tuple(Arrival(**one) for one in document["ends"])
        return cls(document["seconds"], ends, document.get("began"))

    def to_json(self) -> dict[str, Any]:
        """The arrivals as JSON."""
        return asdict(self)

    @property
    def expires(self) -> datetime | None:
        """When no response can ask for them any more; None while a timer looks."""
        if self.began or not self.ends:
            return None
        return max(one.moment for one in self.ends) + timedelta(seconds=self.seconds) + ARRIVALS_KEPT

    def begin(self, time: str) -> Self:
        """The arrivals, with the first of the times at which a timer looked."""
        return replace(self, began=min(self.began or time, time))

    def add(self, arrival: Arrival) -> Self:
        """The arrivals with one more, without those that are too old."""
        spans: dict[int, list[Arrival]] = {}
        for one in sorted({*self.ends, arrival}, key=lambda one: (one.moment, one.id)):
            spans.setdefault(int(one.moment.timestamp() // self.seconds), []).append(one)
        newest = spans[max(spans)][-1].moment - timedelta(seconds=self.seconds) - ARRIVALS_KEPT
        kept = [spans[span] for span in sorted(spans)][-MOST_SPANS:]
        ends = [end for span in kept for end in dict.fromkeys((span[0], span[-1])) if end.moment >= newest]
        return replace(self, ends=tuple(ends))

    def find(self, since: datetime, until: datetime, besides: str) -> Arrival | None:
        """An arrival within this time, its ends included, that is another event than this one."""
        return next((one for one in self.ends if since <= one.moment <= until and one.id != besides), None)
