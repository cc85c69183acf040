"""Events of some days are recorded, and nothing is done.

quiet_days: {days: [sat, sun]}
"""

from datetime import datetime
from typing import Literal

from mlevents.events import Event
from mlevents.gates.gate import Gate, gate


@gate("quiet_days")
class QuietDays(Gate):
    """Events of some days are recorded, and nothing is done."""

    position = 15
    stage = "delivery"

    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]]
    """list the days, in UTC."""

    def objection_to_event(self, event: Event, now: datetime, /) -> str | None:
        """Why not to act now, or None."""
        day = now.strftime("%a").lower()
        return f"{day} is a quiet day" if day in self.days else None
