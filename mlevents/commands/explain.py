"""`explain`: which rules an event matches, and why it does not match the others."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import typer

from mlevents.commands.command import (
    PROBLEMS,
    RULES,
    AsJson,
    RulesFile,
    command,
    good_rules,
    print_json,
    say,
)
from mlevents.commands.event_file import EventFile, read_events
from mlevents.errors import EventError
from mlevents.events import Event, parse_all
from mlevents.rules.delivered import delivered
from mlevents.rules.filters import Filter, compile_filters
from mlevents.rules.match import Verdict, plan
from mlevents.rules.model import Rules


@dataclass(frozen=True, slots=True)
class Explained:
    """One event, what every rule says to it, and whether Event Grid and the allow-list let it through."""

    event: Event
    verdicts: tuple[Verdict, ...]
    delivered: bool
    allowed: bool


@command("explain")
def explain(event: EventFile, rules: RulesFile = RULES, as_json: AsJson = False) -> None:
    """Say which rules each event matches, and for the others the first condition that failed."""
    loaded = good_rules(rules)
    told = list(_explained(read_events(event), loaded))
    if as_json:
        print_json({"events": [_as_json(one) for one in told]})
    else:
        for one in told:
            _show(one)
    if any(isinstance(one, EventError) for one in told):
        raise typer.Exit(PROBLEMS)


def _explained(documents: list[Any], rules: Rules) -> Iterator[Explained | EventError]:
    filters: Mapping[str, Filter] = compile_filters(rules.rules)
    unsure = any(warning.path.startswith("workspaces.") for warning in rules.warnings)
    for document, event in zip(documents, parse_all(documents), strict=True):
        if isinstance(event, EventError):
            yield event
        else:
            arrives = delivered(filters, document)
            yield Explained(event, plan(rules, event), arrives, rules.allows(event.topic) or unsure)


def _as_json(one: Explained | EventError) -> dict[str, Any]:
    if isinstance(one, EventError):
        return {"id": None, "type": None, "subject": None, "error": str(one), "rules": []}
    rules = [_verdict_json(verdict) | {"delivered": one.delivered} for verdict in one.verdicts]
    return {"id": one.event.id, "type": one.event.type, "subject": one.event.subject, "rules": rules}


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    because = verdict.because
    told = because and {"path": because.path, "wanted": because.wanted, "found": because.found}
    return {"id": verdict.rule.id, "matches": verdict.matches, "because": told}


def _show(one: Explained | EventError) -> None:
    if isinstance(one, EventError):
        say(("an event that cannot be understood: ", "bold red"), str(one))
        return
    say((one.event.type, "bold"), f"  {one.event.subject}  ", (one.event.id, "dim"))
    for verdict in one.verdicts:
        _show_verdict(verdict)
    if not one.allowed:
        say(("  ! refused: no workspace of the rule file has the topic ", "yellow"), repr(one.event.topic))
    if not one.delivered:
        say(("  Event Grid would not deliver it: no subscription asks for it", "dim"))


def _show_verdict(verdict: Verdict) -> None:
    mode = "" if verdict.rule.mode == "live" else f" ({verdict.rule.mode})"
    if because := verdict.because:
        wanted, found = _words(because.wanted), _words(because.found)
        why = f"{because.path}: wanted {wanted}, found {found}"
        say("  ", ("✗", "red"), f" {verdict.rule.id}{mode}: ", (why, "dim"))
    else:
        say("  ", ("✓", "green"), f" {verdict.rule.id}{mode}")


def _words(value: object) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
