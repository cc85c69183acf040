"""`rollouts`: name the rollouts that run now in an app, for a look before a release."""

import json
import os
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import typer

from mlevents.actions.action import action
from mlevents.commands.command import PROBLEMS, AsJson, command, give_up, print_json, say

PATIENCE = 60.0
"""Seconds to wait for the app, which may have to start."""
KEY = "MLEVENTS_FUNCTION_KEY"
UNDER_WAY = ("running", "waiting")

App = Annotated[str, typer.Option("--to", help="The app, such as https://mlevents.azurewebsites.net.")]


@command("rollouts")
def rollouts(to: App, as_json: AsJson = False) -> None:
    """Name the rollouts that run now; the function key is read from MLEVENTS_FUNCTION_KEY."""
    if not to.startswith(("http://", "https://")):
        give_up(f"'{to}' is not an address: begin with http:// or https://")
    try:
        found = running(to, os.environ.get(KEY, ""))
    except (URLError, OSError, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        give_up(f"the responses of {to} cannot be read: {error}; check the address and the key in {KEY}")
    if as_json:
        print_json({"rollouts": found})
    for one in [] if as_json else found:
        say("  ", ("…", "yellow"), f" {one['response']}: {one['subject']}: {one['detail']}")
    if found:
        raise typer.Exit(PROBLEMS)


def running(app: str, key: str) -> list[dict[str, str]]:
    """The steps under way whose actions have their own orchestrator; raises OSError or ValueError."""
    request = Request(f"{app.rstrip('/')}/api/responses", headers={"x-functions-key": key} if key else {})
    with urlopen(request, timeout=PATIENCE) as answer:
        document = json.load(answer)
    responses = document["responses"] if isinstance(document, dict) else document
    return [
        {
            "response": one["id"],
            "subject": one["event"]["subject"] or "",
            "step": step["id"],
            "detail": step["detail"],
        }
        for one in responses
        if one["status"] in UNDER_WAY
        for step in one["steps"]
        if step["status"] == "running" and _is_rollout(step)
    ]


def _is_rollout(step: dict[str, Any]) -> bool:
    name = step["uses"]
    return name in action.names() and action.find(name).orchestrator is not None
