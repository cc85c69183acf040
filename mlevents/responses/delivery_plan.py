"""What the delivery of an event would lead to now, without doing it."""

from dataclasses import dataclass
from datetime import datetime

from mlevents.errors import EventError
from mlevents.events import Event, parse
from mlevents.explanations.value_format import format_found, format_value
from mlevents.matching.match import find_matches
from mlevents.matching.nearest_rule import find_nearest_rule
from mlevents.orchestration.messages import Response
from mlevents.responses.decision import respond
from mlevents.responses.response_id import quarantine_id
from mlevents.rules.model import Rules
from mlevents.settings import Settings


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What a delivery led to: its decision in a word, and the responses that it concerns."""

    decision: str
    responses: tuple[Response, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedResponse:
    """One response that a delivery would begin; `gate` is the one that would stop it at once, if one would.

    `existing` is the status of the response that has this id already, null if there is none: then the
    delivery changes nothing.
    """

    id: str
    rule: str | None
    status: str
    because: str | None
    gate: str | None = None
    existing: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """What a delivery would lead to.

    `decision` is as in the list of recent events: `matched`, `unmatched`, `refused`, `quarantined` or
    `disabled`; `because` is why it is not `matched`.
    """

    decision: str
    because: str | None
    responses: tuple[PlannedResponse, ...] = ()


def plan_delivery(raw: str, rules: Rules, settings: Settings, now: datetime) -> DeliveryPlan:
    """The plan for an event's text by these rules; `now` is aware. No response is looked up."""
    if settings.mode == "disabled":
        return DeliveryPlan("disabled", "MLEVENTS_MODE is disabled")
    try:
        event = parse(raw)
    except EventError as error:
        kept = PlannedResponse(quarantine_id(raw), None, "quarantined", str(error))
        return DeliveryPlan("quarantined", str(error), (kept,))
    if not (rules.allows(event.topic) or rules.workspaces_unsure):
        return DeliveryPlan("refused", f"the topic '{event.topic}' is not a workspace of the rule file")
    found = [respond(event, one, rules, settings, now) for one in find_matches(rules, event)]
    if not found:
        return DeliveryPlan("unmatched", _describe_nearest(event, rules))
    return DeliveryPlan("matched", None, tuple(_plan_response(one) for one in found))


def _describe_nearest(event: Event, rules: Rules) -> str:
    """Why no rule matches: the first condition that fails in the rule that comes nearest."""
    nearest = find_nearest_rule(rules, event)
    if nearest is None or nearest.failed is None:
        return f"no rule is for {event.kinds[-1] if event.kinds else event.type}"
    failed = nearest.failed
    wanted, found = format_value(failed.wanted), format_found(failed.found)
    return f"the nearest rule is {nearest.rule.id}: {failed.path}: wanted {wanted}, found {found}"


def _plan_response(one: Response) -> PlannedResponse:
    """A response in short; a gate that looks at the event names itself before its reason."""
    stopped = one.status == "stopped" and one.because is not None
    gate = (one.because or "").partition(":")[0] if stopped else ""
    known = gate if gate in one.delivery_gates else None
    return PlannedResponse(one.id, one.rule, one.status, one.because, known)
