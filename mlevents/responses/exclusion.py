"""Which events can be answered from the outline of the rules alone: those that no rule matches."""

from typing import TYPE_CHECKING

from mlevents import telemetry
from mlevents.errors import EventError
from mlevents.events import Event, parse
from mlevents.matching.mismatches import log_mismatches
from mlevents.settings import Settings

if TYPE_CHECKING:
    from mlevents.rules.rules_outline import RulesOutline


def find_excluded(raw: str, outline: "RulesOutline", settings: Settings) -> Event | None:
    """The delivered event, if it is certain that nothing is to be done about it."""
    try:
        event = parse(raw)
    except EventError:
        return None
    return event if outline.excludes(event, settings) else None


def report_excluded(event: Event, outline: "RulesOutline") -> None:
    """Put into the log and the delivery's trace that an event matches no rule."""
    telemetry.identify_event(event.id, event.type if event.kinds else telemetry.UNKNOWN)
    log_mismatches(event, outline)
