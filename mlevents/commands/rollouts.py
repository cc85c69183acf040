"""`rollouts`: list the rollouts that run now in an app, to check before a release."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from mlevents.actions.action import action
from mlevents.commands.command import (
    EXIT_PROBLEMS,
    EXIT_USAGE,
    AsJson,
    command,
    exit_with_error,
    print_json,
    print_line,
)
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import read_responses
from mlevents.commands.operator.webhook_target import WEBHOOK_KEY_SETTING
from mlevents.commands.option_groups import expand_options
from mlevents.services.app_client import AppClient

ACTIVE_STATUSES = ("running", "waiting")

FormerKey = Annotated[str, typer.Option("--key", hidden=True)]
"""The function key as earlier releases took it; they also read it from the setting of the webhook's key."""


@command("rollouts")
@expand_options
def rollouts(target: AppOptions, key: FormerKey = "", as_json: AsJson = False) -> None:
    """List the rollouts that run now; exit with 1 if there is one."""
    with exit_when_refused(EXIT_USAGE):
        app = target.open(key, EXIT_USAGE, WEBHOOK_KEY_SETTING)
        try:
            found = list(find_running_rollouts(app))
        except (KeyError, TypeError):
            exit_with_error("the answer is no list of responses: is this the address of an mlevents app?")
    if as_json:
        print_json({"rollouts": found})
    for one in [] if as_json else found:
        print_line("  ", ("…", "yellow"), f" {one['response']}: {one['subject']}: {one['detail']}")
    if found:
        raise typer.Exit(EXIT_PROBLEMS)


def find_running_rollouts(app: AppClient) -> Iterator[dict[str, str]]:
    """The steps under way whose actions have their own orchestrator; raises as `read_responses`."""
    for status in ACTIVE_STATUSES:
        for one in read_responses(app, {"status": status}):
            for step in one["steps"]:
                if step["status"] == "running" and _is_rollout(step):
                    subject = one["event"]["subject"] or ""
                    yield {
                        "response": one["id"],
                        "subject": subject,
                        "step": step["id"],
                        "detail": step["detail"],
                    }


def _is_rollout(step: dict[str, Any]) -> bool:
    name = step["uses"]
    return name in action and action.find(name).orchestration is not None
