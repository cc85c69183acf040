"""`event`: publish an event into the running sandbox, and say what came of it."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from mlevents.commands.command import (
    EXIT_PROBLEMS,
    AsJson,
    command,
    exit_with_error,
    print_json,
)
from mlevents.commands.publication import Publication, load_sandbox_rules
from mlevents.commands.running_sandbox import ReadyFileOption, find_sandbox
from mlevents.commands.sandbox_client import SandboxClient, SandboxRefusal, exit_without_answer
from mlevents.rule_tests.event_arguments import ArgumentError, read_arguments
from mlevents.rule_tests.event_builder import BuiltEvent
from mlevents.rule_tests.trial_event import build_trial_event

DELIVERY_SECONDS = 10.0
"""How long the command waits for Event Grid's delivery."""
POLL_SECONDS = 0.1

EventKind = Annotated[str, typer.Argument(metavar="TYPE", help="Such as model.registered or drift.detected.")]
NamesOfEvent = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE",
        show_default=False,
        help="What the event says, in the names of rules: name=churn-x tags.release=yes",
    ),
]
EventWorkspace = Annotated[
    str | None,
    typer.Option("--workspace", show_default=False, help="The workspace that publishes it."),
]


@command("event")
def publish_event(
    kind: EventKind,
    names: NamesOfEvent = None,
    workspace: EventWorkspace = None,
    ready_file: ReadyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Publish an event into the running sandbox, and show which rules it starts.

    What NAME=VALUE does not say has a default. A registered model is also in the sandbox's Azure ML.
    """
    try:
        said = read_arguments(kind, names or [])
    except ArgumentError as error:
        exit_with_error(str(error))
    client = SandboxClient(find_sandbox(ready_file))
    with exit_without_answer():
        built = _build_event(client, kind, said, client.choose_workspace(workspace))
        publication = _publish_and_wait(client, built)
    if as_json:
        print_json(publication.to_json())
    else:
        publication.show(client.ready)
    if not publication.is_settled:
        raise typer.Exit(EXIT_PROBLEMS)


def _build_event(
    client: SandboxClient, kind: str, said: dict[str, dict[str, Any]], workspace: str
) -> BuiltEvent:
    name = said.get("model", {}).get("name")
    if kind == "model.registered" and name and "version" not in said["model"]:
        said["model"]["version"] = client.find_next_version(workspace, name)
    try:
        return build_trial_event(kind, said, workspace, datetime.now(UTC))
    except ArgumentError as error:
        exit_with_error(str(error))


def _publish_and_wait(client: SandboxClient, built: BuiltEvent) -> Publication:
    """Publish the event, wait until Event Grid has delivered or dropped it, and read the responses."""
    last = client.read_journal()["last"]
    try:
        client.publish_event(built.document)
    except SandboxRefusal as refusal:
        exit_with_error(f"Event Grid refused the event: {refusal}", EXIT_PROBLEMS)
    deadline = time.monotonic() + DELIVERY_SECONDS
    while True:
        [entry] = client.read_journal(after=last, event_id=built.event.id)["events"][:1]
        found = Publication(built, tuple(entry["deliveries"]))
        if found.is_settled or time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    responses = client.list_responses(event_id=built.event.id)
    rules = None if responses else load_sandbox_rules(client.ready)
    return Publication(built, found.deliveries, tuple(responses), rules)
