"""Decides which responses a delivery starts: pure, so the same event and rules give the same decision."""

import logging
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice

from mlevents import telemetry
from mlevents.errors import EventError
from mlevents.events import Event, parse
from mlevents.expressions.interpolation import ExpressionError
from mlevents.matching.match import RuleMatch, find_matches
from mlevents.matching.match_trace import trace_conditions
from mlevents.matching.mismatches import log_mismatches
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.messages import Response
from mlevents.orchestration.size_limits import cut_document
from mlevents.responses.quarantine import quarantine_event, refuse_event
from mlevents.responses.response_id import response_id
from mlevents.responses.step_serialization import (
    fill_gates,
    find_missing_value,
    plan_step,
    select_delivery_gates,
    select_named,
    write_rule,
)
from mlevents.rules.allowed_names import describe_refusal, find_refusal
from mlevents.rules.model import Rule, Rules
from mlevents.settings import MODES, Settings

log = logging.getLogger("mlevents")

MOST_LINES, EXPLANATION_UNITS = 200, 8000


def decide(raw: str, rules: Rules, settings: Settings, now: datetime) -> list[Response]:
    """Every response to one delivered event, one for each rule that matches; often none.

    `raw` is the JSON of one event, as the Functions host hands it over; `now` is an aware time.
    """
    if settings.mode == "disabled":
        log.info("MLEVENTS_MODE is disabled: nothing is done about %.300s", raw)
        return []
    try:
        event = parse(raw)
    except EventError as error:
        return [replace(quarantine_event(raw, error, rules), alert=settings.mode != "shadow")]
    telemetry.identify_event(event.id, event.type if event.kinds else telemetry.UNKNOWN)
    if not rules.allows(event.topic):
        return [refuse_event(event, rules)]
    found = [respond(event, one, rules, settings, now) for one in find_matches(rules, event)]
    if not found:
        log_mismatches(event, rules)
    return found


def respond(
    event: Event, found: RuleMatch[Rule], rules: Rules, settings: Settings, now: datetime
) -> Response:
    """The response of one matching rule, settled already where nothing may be done."""
    rule = found.rule
    named = [*rule.steps, *rule.on_failure]
    response = Response(
        id=response_id(rule.id, event.identity(found.kind or event.type)),
        rule=rule.id,
        event=event,
        steps=tuple(map(plan_step, rule.steps)),
        on_failure=tuple(map(plan_step, rule.on_failure)),
        connections=select_named(rules.connections, named, rule.gates),
        files=select_named(rules.files, named),
        depth=event.depth + 1,
        explanation=explain_match(rule, event),
        delivery_gates=select_delivery_gates(rule.gates),
        written_rule=write_rule(rule, found.kind or event.type),
    )
    decided = decide_status(response, rule, settings, now)
    if decided.status == "running":
        return deduplicate_response(decided, rule)
    # A drift or a value that a gate gives stays free for an event that is acted on: this one has its own id.
    return replace(decided, id=response_id(rule.id, event.identity(event.type)))


def explain_match(rule: Rule, event: Event) -> tuple[Json, ...]:
    """The conditions of a rule that matches, as lines of a tree, with the values found; cut to a limit."""
    lines = trace_conditions(rule.where, event.names) if rule.where else ()
    document = {"lines": [asdict(line) for line in islice(lines, MOST_LINES)]}
    return tuple(cut_document(document, EXPLANATION_UNITS).get("lines", ()))


def deduplicate_response(response: Response, rule: Rule) -> Response:
    """The response by the name of the value that a gate gives, whichever event has it."""
    for name, gate in rule.gates.items():
        try:
            same = gate.identity(response.event.names)
        except ValueError as error:  # an ExpressionError is one
            return replace(response, status="failed", because=f"{name}: {error}", alert=True)
        if same is not None:
            return replace(response, id=response_id(rule.id, same))
    return response


def decide_status(response: Response, rule: Rule, settings: Settings, now: datetime) -> Response:
    """The response, with the status that says why it is not carried out, if it is not."""
    mode = max(rule.mode, settings.mode or "live", key=MODES.index)
    if mode != "live":
        told = "the rule's mode" if mode == rule.mode else "MLEVENTS_MODE"
        return replace(response, status=mode, because=f"{told} is {mode}")
    if response.depth > settings.max_depth:
        chain = (
            f"this event comes from a chain of {response.event.depth} responses that caused one another: "
            f"break the loop with a condition, or raise MLEVENTS_MAX_DEPTH above {settings.max_depth}"
        )
        return replace(response, status="stopped", because=chain, alert=True)
    for name, gate in rule.gates.items():
        if objection := gate.objection_to_event(response.event, now):
            return replace(response, status="stopped", because=f"{name}: {objection}")
    return apply_event_values(response, rule)


def apply_event_values(response: Response, rule: Rule) -> Response:
    """The response with its gates filled in, or settled where the event's values do not do for the rule."""
    if missing := find_missing_value(rule.steps, response.event):
        return replace(response, status="failed", because=missing, alert=True)
    if failed := find_refusal(rule, response.event):
        return replace(response, status="refused", because=describe_refusal(rule, failed), alert=True)
    try:
        return replace(response, gates=fill_gates(rule.gates, response.event))
    except ExpressionError as error:
        return replace(response, status="failed", because=f"a gate: {error}", alert=True)
