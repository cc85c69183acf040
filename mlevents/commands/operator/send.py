"""`send`: deliver events to a function as Event Grid does."""

import json
from http.client import HTTPException
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import typer

from mlevents.commands.command import (
    EXIT_PROBLEMS,
    AsJson,
    check_address,
    command,
    describe_connection_error,
    exit_with_error,
    print_json,
    print_line,
)
from mlevents.commands.event_file import EventFile, read_events_or_exit
from mlevents.commands.operator.webhook_target import WEBHOOK_KEY_SETTING, WebhookTarget
from mlevents.commands.option_groups import expand_options
from mlevents.errors import ConfigError
from mlevents.services.app_client import AppAccess, trust_authorities
from mlevents.services.sdk_errors import clean_text

ANSWER_TIMEOUT = 30.0
"""Seconds that Event Grid waits for an answer."""

WEBHOOK = "/runtime/webhooks/eventgrid"

WebhookKey = Annotated[
    str,
    typer.Option(
        "--key",
        envvar=WEBHOOK_KEY_SETTING,
        show_default=False,
        help="The webhook's system key eventgrid_extension. A variable keeps it out of the command line.",
    ),
]


@command("send")
@expand_options
def send(event: EventFile, target: WebhookTarget, key: WebhookKey = "", as_json: AsJson = False) -> None:
    """Deliver each event of a file in its own request, and show the answer."""
    to, key = _find_target(target, key)
    events = read_events_or_exit(event)
    try:
        answers = [deliver_event(one, find_webhook(to, one), key) for one in events]
    except ConfigError as error:
        exit_with_error(str(error))
    if as_json:
        print_json({"deliveries": answers})
    else:
        for answer in answers:
            _show(answer)
    if not all(answer["accepted"] for answer in answers):
        raise typer.Exit(EXIT_PROBLEMS)


def _find_target(target: WebhookTarget, key: str) -> tuple[str, str]:
    """The host or webhook, and its key: an address is used as it is, whatever listens there."""
    if target.url and not (target.app or target.ready_file):
        check_address(target.url)
        return target.url, key or target.find_key()
    found = target.open()
    return found.webhook, key or found.key


def deliver_event(event: Any, to: str, key: str) -> dict[str, Any]:
    """Deliver one event in one request; `status` is null when nothing answered, `answer` then says why.

    Raises ConfigError for a key that others could read on the way.
    """
    try:
        request, trust = build_request(event, to, key), trust_authorities()
        with urlopen(request, timeout=ANSWER_TIMEOUT, context=trust) as answer:
            status, text = answer.status, ""
    except HTTPError as error:
        status, text = error.code, error.read(1000).decode("utf-8", "replace")
    except (URLError, OSError, HTTPException, ValueError) as error:
        status, text = None, describe_connection_error(error)
    name = event.get("id") if isinstance(event, dict) else None
    return {"id": name, "status": status, "accepted": status in range(200, 205), "answer": clean_text(text)}


def find_webhook(to: str, event: Any) -> str:
    """The webhook itself, or on a host that is only named the one of the function for this event's type."""
    if urlsplit(to).path.strip("/"):
        return to
    members = event if isinstance(event, dict) else {}
    kind = str(members.get("eventType") or members.get("type") or "")
    return f"{to.rstrip('/')}{WEBHOOK}?functionName={quote(kind.rpartition('.')[2], safe='')}"


def build_request(event: Any, to: str, key: str = "") -> Request:
    """What Event Grid sends: an array of one in its own schema, a bare object in that of CloudEvents.

    Raises ConfigError for a key that others could read on the way.
    """
    cloud = isinstance(event, dict) and "eventType" not in event and "specversion" in event
    kind = "application/cloudevents+json" if cloud else "application/json"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8",
        "aeg-event-type": "Notification",
        "aeg-delivery-count": "0",
    }
    made = Request(to, json.dumps(event if cloud else [event]).encode(), headers)
    if AppAccess(to, key).key:
        made.add_unredirected_header("x-functions-key", key)
    return made


def _show(answer: dict[str, Any]) -> None:
    mark = ("✓", "green") if answer["accepted"] else ("✗", "red")
    name = answer["id"] or "an event without an id"
    print_line("  ", mark, f" {name}: {answer['status'] or 'no answer:'} {answer['answer']}".rstrip())
