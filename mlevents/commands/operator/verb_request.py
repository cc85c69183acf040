"""Requests that change responses: which ones, the question before several, and what came of each."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from mlevents.commands.command import EXIT_PROBLEMS, exit_with_error, print_json, print_line
from mlevents.commands.explain_rule import CONDITION_MARKS
from mlevents.commands.operator.response_list import ResponseFilters, find_response_id, read_responses
from mlevents.commands.operator.responses import print_list
from mlevents.services.app_client import AppClient, AppRefusedError

_SOON = "stored, and takes effect soon"

RequiredReason = Annotated[str, typer.Option("--reason", help="Why: the log of the response keeps it.")]
OptionalReason = Annotated[
    str, typer.Option("--reason", show_default=False, help="Why: the log of the response keeps it.")
]
SeveralId = Annotated[
    str,
    typer.Argument(
        metavar="[ID]",
        show_default=False,
        help="A response, as for show; or use filters.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="List what the filters select, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before several responses are changed.")]


@dataclass(frozen=True, slots=True)
class Consent:
    """How far a command may go with several responses."""

    dry_run: DryRun = False
    yes: Yes = False


@dataclass(frozen=True, slots=True)
class Verb:
    """What is asked of responses: `word` is the end of the address; `suits` says of which status."""

    word: str
    body: Mapping[str, Any]
    suits: Callable[[str], bool]


def request_for_one(app: AppClient, id: str, verb: Verb, as_json: bool) -> None:
    """Ask it of the response that an id names, and print what it led to; raises AppRefusedError."""
    answer = _request(app, find_response_id(app, id), verb)
    if as_json:
        print_json(answer)
    else:
        _print_answer(answer)


def request_for_several(
    app: AppClient, filters: ResponseFilters, verb: Verb, consent: Consent, as_json: bool
) -> None:
    """Ask it of each response that the filters select; exits with 1 if one of them is refused."""
    query = filters.to_query(datetime.now(UTC))
    selected = [one for one in read_responses(app, query) if verb.suits(one["status"])]
    if consent.dry_run:
        _print_selection(selected, as_json)
        return
    if len(selected) > 1 and not consent.yes:
        print_list(selected, err=True)
        confirm_or_exit(f"{verb.word} these {len(selected)} responses?")
    answers = [_request_or_refusal(app, str(one["id"]), verb) for one in selected]
    if as_json:
        print_json({"responses": answers})
    for answer in [] if as_json else answers:
        _print_answer(answer)
    if not selected and not as_json:
        print_line("No response matches.")
    if any("error" in answer for answer in answers):
        raise typer.Exit(EXIT_PROBLEMS)


def require_choice(id: str, filters: ResponseFilters, consent: Consent) -> None:
    """Exit unless the command line names one response, or filters for several."""
    if id and (filters != ResponseFilters() or consent.dry_run):
        exit_with_error("one response needs no filter: give its id alone, or filters alone")
    if not id and filters == ResponseFilters():
        exit_with_error("no response is named: give its id, or a filter such as --status failed --since 12h")


def confirm_or_exit(question: str) -> None:
    """Ask on standard error, and exit unless the answer is yes."""
    print_line(f"{question} [y/N]", err=True)
    answer = sys.stdin.readline()
    if not answer:
        exit_with_error("there is no answer: nothing was changed; --yes goes on without a question")
    if answer.strip().lower() not in ("y", "yes"):
        exit_with_error("nothing was changed")


def _print_selection(selected: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": True, "responses": list(selected)})
    else:
        print_list(selected)


def _request(app: AppClient, response_id: str, verb: Verb) -> dict[str, Any]:
    return app.request("POST", f"responses/{quote(response_id, safe='')}/{verb.word}", verb.body)


def _request_or_refusal(app: AppClient, response_id: str, verb: Verb) -> dict[str, Any]:
    try:
        return _request(app, response_id, verb)
    except AppRefusedError as error:
        return {
            "id": response_id,
            "verb": verb.word,
            "status": error.document.get("state"),
            "error": str(error),
        }


def _print_answer(answer: Mapping[str, Any]) -> None:
    if "error" in answer:
        print_line(CONDITION_MARKS[False], " ", (answer["id"], "bold"), f": {answer['error']}")
        return
    again = "" if answer["changed"] else f" (as {answer['by']} asked before)"
    effect = answer["effect"] or _SOON
    print_line(CONDITION_MARKS[True], " ", (answer["id"], "bold"), f": {answer['verb']}: {effect}{again}")
    because = f": {answer['because']}" if answer["because"] else ""
    print_line("    now ", f"{answer['status']}{because}")
