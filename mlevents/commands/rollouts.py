"""`rollouts`: list the rollouts that run now in an app, to check before a release."""

import json
from collections.abc import Iterator
from http.client import HTTPException
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import typer

from mlevents.actions.action import action
from mlevents.commands.command import (
    EXIT_PROBLEMS,
    AppKey,
    AsJson,
    check_address,
    command,
    describe_connection_error,
    exit_with_error,
    print_json,
    print_line,
)
from mlevents.services.sdk_errors import clean_text

APP_TIMEOUT = 60.0
"""Seconds to wait for the app, which may have to start."""
ACTIVE_STATUSES = ("running", "waiting")

App = Annotated[str, typer.Option("--to", help="The app, such as https://mlevents.azurewebsites.net.")]


@command("rollouts")
def rollouts(to: App, key: AppKey = "", as_json: AsJson = False) -> None:
    """List the rollouts that run now; exit with 1 if there is one."""
    check_address(to)
    try:
        found = list(find_running_rollouts(to, key))
    except (URLError, OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        exit_with_error(
            f"the responses of {clean_text(to)} cannot be read: {describe_connection_error(error)}; "
            "check the address, and the key in MLEVENTS_KEY"
        )
    if as_json:
        print_json({"rollouts": found})
    for one in [] if as_json else found:
        print_line("  ", ("…", "yellow"), f" {one['response']}: {one['subject']}: {one['detail']}")
    if found:
        raise typer.Exit(EXIT_PROBLEMS)


def find_running_rollouts(app: str, key: str) -> Iterator[dict[str, str]]:
    """The steps under way whose actions have their own orchestrator; raises OSError or ValueError."""
    for status in ACTIVE_STATUSES:
        for one in _responses(app, key, status):
            for step in one["steps"]:
                if step["status"] == "running" and _is_rollout(step):
                    subject = one["event"]["subject"] or ""
                    yield {
                        "response": one["id"],
                        "subject": subject,
                        "step": step["id"],
                        "detail": step["detail"],
                    }


def _responses(app: str, key: str, status: str) -> Iterator[dict[str, Any]]:
    """Every response of one status, page by page."""
    query = {"status": status}
    while query:
        request = Request(f"{app.rstrip('/')}/api/v1/responses?{urlencode(query)}")
        if key:
            request.add_unredirected_header("x-functions-key", key)
        with urlopen(request, timeout=APP_TIMEOUT) as answer:
            document = json.load(answer)
        try:
            yield from document["responses"]
            following = document["continuation"]
        except (TypeError, KeyError) as error:
            raise ValueError("the answer is not a list of responses") from error
        query = {"status": status, "continuation": following} if following else {}


def _is_rollout(step: dict[str, Any]) -> bool:
    name = step["uses"]
    return name in action and action.find(name).orchestration is not None
