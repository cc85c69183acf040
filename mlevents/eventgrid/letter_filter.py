"""Which dead letters are meant: by time, type, subject and reason."""

import re
from dataclasses import dataclass
from datetime import datetime

from mlevents.events.dead_letter import DeadLetter
from mlevents.events.event_type import event_type


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """`since` and `until` bound the event's time (aware; `until` is excluded); `*` is any text elsewhere.

    `type` is a kind of the rules, the name of a function, or the type on the wire. Texts compare without
    regard to case. A dead letter without a time passes only where no time is asked for.
    """

    since: datetime | None = None
    until: datetime | None = None
    type: str = ""
    subject: str = ""
    reason: str = ""

    def selects(self, letter: DeadLetter) -> bool:
        """Whether a dead letter is meant."""
        return (
            self.has_time(letter.happened)
            and self.has_type(letter.type)
            and _fits(self.subject, letter.subject)
            and _fits(self.reason, letter.reason or "")
        )

    def has_time(self, moment: str | None) -> bool:
        """Whether a time (ISO 8601, None if unknown) is within the bounds."""
        if self.since is None and self.until is None:
            return True
        if moment is None:
            return False
        time = datetime.fromisoformat(moment)
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)

    def has_type(self, wire_type: str) -> bool:
        """Whether a type on the wire is meant."""
        return not self.type or any(_fits(self.type, one) for one in _names_of(wire_type))


def _names_of(wire_type: str) -> tuple[str, ...]:
    known = next((one for wire, one in event_type.items() if wire.casefold() == wire_type.casefold()), None)
    kinds = (known.kind, *(other.kind for other in known.derived)) if known else ()
    return (wire_type, wire_type.rpartition(".")[2], *kinds)


def _fits(pattern: str, text: str) -> bool:
    words = (re.escape(part) for part in pattern.split("*"))
    return not pattern or re.fullmatch(".*".join(words), text, re.IGNORECASE | re.DOTALL) is not None
