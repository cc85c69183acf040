"""Deciding what a delivery leads to: pure, so that the same event and rules always decide alike."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from mlevents.actions.action import action
from mlevents.errors import EventError
from mlevents.events import Event, parse
from mlevents.responses.response import Response, Step, digest
from mlevents.rules.expressions import ExpressionError, render, roots
from mlevents.rules.match import Verdict, kind_asked, matching, verdict
from mlevents.rules.model import Rules
from mlevents.rules.model import Step as RuleStep
from mlevents.settings import MODES, Settings

log = logging.getLogger("mlevents")

MOST_REASONS = 3


def decide(raw: str, rules: Rules, settings: Settings) -> list[Response]:
    """Every response to one delivered event, one for each rule that matches; often none.

    `raw` is the JSON of one event, as the Functions host hands it over.
    """
    try:
        event = parse(raw)
    except EventError as error:
        return [quarantined(raw, error, rules)]
    if not rules.allows(event.topic):
        return [refused(event, rules)]
    found = [respond(event, verdict, rules, settings) for verdict in live(event, rules, settings)]
    if not found and log.isEnabledFor(logging.INFO):
        log.info("event %s (%s) matches no rule: %s", event.id, event.type, reasons(event, rules))
    return found


def reasons(event: Event, rules: Rules) -> str:
    """Why not, for the first rules that ask for this kind of event."""
    asked = (verdict(rule, event) for rule in rules.rules if kind_asked(rule, event))
    said = [f"{one.rule.id}: {one.because}" for one in islice(asked, MOST_REASONS)]
    return "; ".join(said) or "none asks for this kind"


def live(event: Event, rules: Rules, settings: Settings) -> Iterator[Verdict]:
    """The verdicts that match, but those of a disabled app."""
    if settings.mode != "disabled":
        yield from matching(rules, event)


def respond(event: Event, verdict: Verdict, rules: Rules, settings: Settings) -> Response:
    """The response of one matching rule, settled already where nothing may be done."""
    rule = verdict.rule
    response = Response(
        id=f"{rule.id}.{digest(event.identity(verdict.kind or event.type))}",
        rule=rule.id,
        event=event,
        steps=tuple(map(as_json, rule.steps)),
        on_failure=tuple(map(as_json, rule.on_failure)),
        connections=used(rules.connections, [*rule.steps, *rule.on_failure]),
        depth=event.depth + 1,
    )
    if response.depth > settings.max_depth:
        because = (
            f"this event comes from a chain of {event.depth} responses that caused one another: "
            f"break the loop with a condition, or raise MLEVENTS_MAX_DEPTH above {settings.max_depth}"
        )
        return replace(response, status="stopped", because=because, alert=True)
    if MODES.index(settings.mode or "live") < MODES.index(rule.mode):
        return replace(response, status=rule.mode, because=f"the rule's mode is {rule.mode}")
    if settings.mode == "shadow":
        return replace(response, status="shadow", because="MLEVENTS_MODE is shadow")
    if missing := values_missing(rule.steps, event):
        return replace(response, status="failed", because=missing, alert=True)
    return response


def values_missing(steps: Iterable[RuleStep], event: Event) -> str | None:
    """What the event lacks that a step needs, found before any step is performed."""
    for step in steps:
        for text in leaves([step.with_, step.if_]):
            try:
                if not roots(text) & {"steps", "failure"}:
                    render(text, event.names)
            except ExpressionError as error:
                return f"step '{step.id}': {error}"
    return None


def leaves(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)


def as_json(step: RuleStep) -> Step:
    """The step as it travels, with the orchestrator that its action asks for."""
    return {
        "id": step.id,
        "uses": step.uses,
        "with": step.with_,
        "if": step.if_,
        "retry": {"attempts": step.retry.attempts, "first": step.retry.first, "max": step.retry.max},
        "timeout": step.timeout,
        "orchestrator": action.find(step.uses).orchestrator,
    }


def used(connections: Mapping[str, Any], steps: Iterable[RuleStep]) -> dict[str, Any]:
    """The connections that these steps name, so that a response carries no others."""
    texts = {text for step in steps for text in leaves(step.with_)}
    return {name: connections[name] for name in connections if name in texts}


def refused(event: Event, rules: Rules) -> Response:
    """An event from a workspace outside the allow-list: recorded, never acted on."""
    allowed = ", ".join(rules.workspaces) or "none"
    because = (
        f"the topic '{event.topic}' is no workspace of the rule file (there: {allowed}): "
        "add it under 'workspaces', or delete the event subscription that sends from it"
    )
    log.warning("event %s refused: %s", event.id, because)
    key = digest(f"{event.topic.lower()} {event.id}")
    return Response(id=f"refused.{key}", rule=None, event=event, status="refused", because=because)


def quarantined(raw: str, error: EventError, rules: Rules) -> Response:
    """An event that cannot be understood: its text is kept, and somebody is told."""
    log.error("an event is in quarantine: %s", error)
    steps = rules.defaults.on_failure
    return Response(
        id=f"quarantine.{digest(raw)}",
        rule=None,
        event=outline(raw),
        status="quarantined",
        because=str(error),
        alert=True,
        on_failure=tuple(map(as_json, steps)),
        connections=used(rules.connections, steps),
        raw=raw,
    )


def outline(raw: str) -> Event:
    """What little can be read of an event that cannot be understood."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    known = document if isinstance(document, dict) else {}

    def text(*keys: str) -> str:
        found = next((known[key] for key in keys if isinstance(known.get(key), str)), "")
        return found[:1000].encode("utf-8", "replace").decode()

    names = {"id": text("id"), "type": text("eventType", "type"), "subject": text("subject")}
    return Event(
        **names,
        kinds=(),
        time=text("eventTime", "time") or None,
        topic=text("topic", "source"),
        names={"event": {name: value for name, value in names.items() if value}},
    )
