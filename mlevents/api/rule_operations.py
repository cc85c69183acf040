"""The rules that run, in words, and how often each has fired."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from mlevents.api.hold_list import HoldView, read_hold_list
from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, operation
from mlevents.api.response_operations import open_reader
from mlevents.api.response_query import MOST, ResponseQuery
from mlevents.explanations.rule_words import RuleWords, describe_rule
from mlevents.responses.response_view import ResponseView

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
COUNTED_PAGES = 10
"""Pages of responses that are counted: a busy app has more, and the answer says since when it counts."""


@dataclass(slots=True)
class RuleActivity:
    """How often a rule fired: `last` is null when it has not fired since the count begins."""

    last: str | None = None
    day: int = 0
    week: int = 0
    statuses: dict[str, int] = field(default_factory=dict)

    def count(self, view: ResponseView, now: datetime) -> None:
        """Count one response in; the newest come first."""
        self.last = self.last or view.created
        age = now - datetime.fromisoformat(view.created)
        self.day += age <= _DAY
        self.week += age <= _WEEK
        self.statuses[view.status] = self.statuses.get(view.status, 0) + 1


@dataclass(frozen=True, slots=True)
class CountedRule:
    """One rule in words, with how often it fired, and the hold of it or of everything."""

    rule: RuleWords
    activity: RuleActivity
    hold: HoldView | None = None


@dataclass(frozen=True, slots=True)
class RuleList:
    """Every rule in file order; `since` is the time from which responses are counted, null for all."""

    rules: list[CountedRule]
    since: str | None


@dataclass(frozen=True, slots=True)
class RuleFileText:
    """The rule file as written; `files` are the texts by name, several in a folder of rules."""

    files: dict[str, str]


@operation("ListRules", answer=RuleList)
async def list_rules(_: ApiRequest, app: AppState) -> ApiAnswer:
    """The rules that run, in words, and how often each has fired.

    Counts the responses of the last 30 days, at most 5,000 of them: `since` says from when.
    """
    rules = app.rules()
    views, complete = await _read_recent(app)
    counted, holds = count_by_rule(views, app.now), await read_hold_list(app.client)
    listed = [
        CountedRule(describe_rule(one), counted.get(one.id, RuleActivity()), holds.view_of_rule(one.id))
        for one in rules.rules
    ]
    return ApiAnswer(
        {"rules": [asdict(one) for one in listed], "since": None if complete else views[-1].created}
    )


@operation("GetRuleFile", answer=RuleFileText)
async def read_rule_file(_: ApiRequest, app: AppState) -> ApiAnswer:
    """The rule file as written, each `${env.NAME}` unfilled."""
    path = app.settings().rules
    files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    return ApiAnswer({"files": {file.name: file.read_text("utf-8") for file in files}})


def count_by_rule(views: Iterable[ResponseView], now: datetime) -> dict[str, RuleActivity]:
    """The activity of each rule that has a response among these, the newest first."""
    found: dict[str, RuleActivity] = {}
    for view in views:
        if view.rule:
            found.setdefault(view.rule, RuleActivity()).count(view, now)
    return found


async def _read_recent(app: AppState) -> tuple[list[ResponseView], bool]:
    """The newest responses, and whether these are all."""
    reader, query = open_reader(app), ResponseQuery(limit=MOST)
    found: list[ResponseView] = []
    for _ in range(COUNTED_PAGES):
        views, following = await reader.page(query)
        found += views
        if following is None:
            return found, True
        query = ResponseQuery(limit=MOST, continuation=following)
    return found, False
