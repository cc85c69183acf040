"""Replays the events in quarantine of an app: their texts are tried again by the app itself."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import typer

from mlevents.commands.command import EXIT_PROBLEMS, print_json, print_line
from mlevents.commands.operator.app_options import exit_when_refused
from mlevents.commands.operator.response_list import read_responses
from mlevents.commands.progress_bar import track_items
from mlevents.eventgrid.letter_filter import LetterFilter
from mlevents.events.dead_letter import DeadLetter
from mlevents.services.app_client import AppClient, AppRefusedError

_UNDERSTOOD, _QUARANTINED, _REFUSED = "understood", "quarantined", "refused"
_MARKS: Mapping[str, tuple[str, str]] = {
    _UNDERSTOOD: ("✓", "green"),
    _QUARANTINED: ("✗", "red"),
    _REFUSED: ("✗", "red"),
}


def replay_quarantine(app: AppClient, chosen: LetterFilter, dry_run: bool, as_json: bool) -> None:
    """Replay each event in quarantine that the filter selects; exits with 1 if one is not understood.

    `since` and `until` bound when it came into quarantine, and `reason` is why.
    """
    with exit_when_refused():
        found = [one for one in read_responses(app, {"status": _QUARANTINED}) if _is_chosen(one, chosen)]
        tried = track_items(found, "replaying events", len(found))
        answers = [_explain(app, one) if dry_run else _replay(app, one) for one in tried]
    counts = Counter(one["result"] for one in answers)
    if as_json:
        counted = {name: counts[name] for name in _MARKS}
        print_json({"quarantine": True, "dry_run": dry_run, "events": answers, "counts": counted})
    else:
        for one in answers:
            print_line("  ", _MARKS[one["result"]], " ", (one["id"], "bold"), f": {one['detail']}")
        ran = "Dry run, nothing was changed" if dry_run else "Replayed"
        listed = ", ".join(f"{counts[name]} {name}" for name in _MARKS if counts[name])
        print_line(f"{ran}: {len(answers)} in quarantine{': ' if listed else ''}{listed}")
    if len(answers) != counts[_UNDERSTOOD]:
        raise typer.Exit(EXIT_PROBLEMS)


def _is_chosen(one: Mapping[str, Any], chosen: LetterFilter) -> bool:
    event = one["event"]
    letter = {"eventType": event["type"], "subject": event["subject"], "eventTime": one["created"]}
    return chosen.selects(DeadLetter.read(letter | {"deadLetterReason": one["because"]}))


def _replay(app: AppClient, one: Mapping[str, Any]) -> dict[str, Any]:
    try:
        answer = app.request("POST", f"responses/{quote(one['id'], safe='')}/replay", {})
    except AppRefusedError as error:
        return {"id": one["id"], "result": _REFUSED, "detail": str(error)}
    result = _QUARANTINED if answer["status"] == _QUARANTINED else _UNDERSTOOD
    return {"id": one["id"], "result": result, "detail": answer["effect"]}


def _explain(app: AppClient, one: Mapping[str, Any]) -> dict[str, Any]:
    """What a replay would lead to; a text that is not an object is not understood."""
    raw = app.read(f"responses/{quote(one['id'], safe='')}")["raw"]
    try:
        event = json.loads(raw)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        return {"id": one["id"], "result": _QUARANTINED, "detail": one["because"]}
    planned = app.request("POST", "plan", {"event": event})
    result = _QUARANTINED if planned["decision"] == _QUARANTINED else _UNDERSTOOD
    rules = ", ".join(response["rule"] for response in planned["responses"] if response["rule"])
    detail = planned["because"] or f"matches {rules}"
    return {"id": one["id"], "result": result, "detail": detail}
