"""Reads the app's list of responses: filters, pages, and the response that a short id names."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any
from urllib.parse import quote

import typer

from mlevents.commands.command import EXIT_PROBLEMS, exit_with_error
from mlevents.duration import parse_duration
from mlevents.services.app_client import AppClient, AppRefusedError

_NOT_FOUND = 404
_PAGE, MOST_SEARCHED = 500, 10_000
"""Responses of a page, the most that the app gives, and those among which a short id is searched."""
MOST_CANDIDATES = 10
SHORT_ID = 8

ResponseId = Annotated[
    str,
    typer.Argument(
        metavar="ID", show_default=False, help="A response: its id, or a unique beginning or end of it."
    ),
]
Status = Annotated[str, typer.Option(show_default=False, help="Those of one status, such as failed.")]
FilterSince = Annotated[
    str, typer.Option(metavar="TIME", show_default=False, help="Those since then: 12h, 7d, or ISO 8601.")
]
Until = Annotated[
    str, typer.Option(metavar="TIME", show_default=False, help="Those before then: 12h, 7d, or ISO 8601.")
]
RuleId = Annotated[str, typer.Option(metavar="ID", show_default=False, help="Those of one rule.")]
FilterWorkspace = Annotated[
    str, typer.Option(metavar="NAME", show_default=False, help="Those of one workspace.")
]
Subject = Annotated[str, typer.Option(show_default=False, help="Those of events with exactly this subject.")]


@dataclass(frozen=True, slots=True)
class ResponseFilters:
    """What narrows responses down, as the parameters of the API do."""

    status: Status = ""
    since: FilterSince = ""
    until: Until = ""
    rule: RuleId = ""
    workspace: FilterWorkspace = ""
    subject: Subject = ""

    def to_query(self, now: datetime) -> dict[str, str]:
        """The parameters of the API; exits for a time that cannot be read."""
        query = {name: value for name, value in asdict(self).items() if value}
        for name in {"since", "until"} & query.keys():
            query[name] = read_moment(f"--{name}", query[name], now).isoformat().replace("+00:00", "Z")
        return query


def read_moment(option: str, text: str, now: datetime) -> datetime:
    """The time (UTC) that a duration before now, or ISO 8601, names; exits for anything else."""
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        exit_with_error(f"{option} is '{text:.100}': give a duration such as 12h, or ISO 8601")


def read_responses(app: AppClient, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every response that matches, page by page; raises AppRefusedError or NoAnswerError."""
    following: str | None = None
    while True:
        page = app.read("responses", {**query, "limit": _PAGE, "continuation": following})
        yield from page["responses"]
        following = page["continuation"]
        if not following:
            return


def find_response_id(app: AppClient, text: str) -> str:
    """The id of the response that a text names; exits if there is none, or several.

    It is the complete id, or its beginning or end, or the beginning of the digits after the rule's name.
    """
    try:
        return str(app.read(f"responses/{quote(text, safe='')}")["id"])
    except AppRefusedError as error:
        if error.status not in (_NOT_FOUND, 400):
            raise
    known = [str(one["id"]) for one in islice(read_responses(app, {}), MOST_SEARCHED)]
    found = [one for one in known if is_short_for(text, one)]
    if not found:
        exit_with_error(f"no response has an id that begins or ends with '{text:.100}'", EXIT_PROBLEMS)
    if len(found) > 1:
        listed = ", ".join(found[:MOST_CANDIDATES]) + (" …" if len(found) > MOST_CANDIDATES else "")
        exit_with_error(f"'{text:.100}' is not unique: {len(found)} responses have it in their id: {listed}")
    return found[0]


def is_short_for(text: str, response_id: str) -> bool:
    """Whether a text is the beginning or the end of an id, or the beginning of its digits."""
    digits = response_id.rpartition(".")[2]
    return bool(text) and (
        response_id.startswith(text) or response_id.endswith(text) or digits.startswith(text)
    )


def shorten_id(response_id: str) -> str:
    """The end of an id, which is enough to name the response."""
    return response_id[-SHORT_ID:]
