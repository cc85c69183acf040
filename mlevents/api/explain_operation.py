"""An event explained by the rules that run, or by rules that are being tried."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, RequestBody, operation
from mlevents.errors import EventError, RulesError
from mlevents.events import Event
from mlevents.explanations.event_explanation import EventExplanation, explain_event, explain_events
from mlevents.explanations.rule_explanation import ExplainContext, RuleExplanation, explain_rule
from mlevents.rule_tests.written_test import write_test
from mlevents.rules.file import load_rules_text
from mlevents.rules.model import Rules
from mlevents.settings import Settings

APP_SETTING = re.compile(r"env\.(\w+)")


class ExplainRequest(RequestBody):
    """What to explain: an event as Azure sends it, or as this API shows it."""

    event: dict[str, Any]
    """The event."""
    rules: str | None = None
    """A rule file to try; the rules that run when left out."""


@dataclass(frozen=True, slots=True)
class ExplainView:
    """One event explained: what each rule says, and whether Event Grid and the allow-list let it through.

    `rejection` says why Event Grid would not deliver it, null if it would, or if the event is given as this
    API shows it. `test` is a test for the rule file, which expects what happens now. `problems` say why there
    is no explanation: the event cannot be read, or the rules that are tried are broken.
    """

    rules: list[RuleExplanation] = field(default_factory=list)
    allowed: bool = True
    rejection: str | None = None
    test: str = ""
    problems: list[str] = field(default_factory=list)


@operation("ExplainEvent", body=ExplainRequest, answer=ExplainView)
async def explain_one_event(request: ApiRequest, app: AppState) -> ApiAnswer:
    """Which rules an event matches, and why it does not match the others.

    Nothing is done. With `rules`, these are asked instead of the rules that run; they see no other app
    settings than the running rules show.
    """
    body: ExplainRequest = request.body
    settings, running = app.settings(), app.rules()
    try:
        rules = running if body.rules is None else load_tried(body.rules, settings)
        view = explain_to_view(explain_document(body.event, rules), rules, app.now, settings.max_depth)
    except EventError as error:
        view = ExplainView(problems=[f"event: {error}"])
    except RulesError as error:
        view = ExplainView(problems=[f"rules: {line}" for line in str(error).splitlines()])
    return ApiAnswer(asdict(view))


def explain_to_view(explained: EventExplanation, rules: Rules, now: datetime, max_depth: int) -> ExplainView:
    """The explanation with what each rule says, and as a test."""
    moment = ExplainContext(now, max_depth)
    matching = [match.rule.id for match in explained.matches if match.matches]
    return ExplainView(
        [explain_rule(one, explained.event, moment) for one in explained.matches],
        explained.allowed,
        explained.rejection,
        write_test(explained.event, matching, rules.workspaces),
    )


def explain_document(document: Mapping[str, Any], rules: Rules) -> EventExplanation:
    """The explanation of an event in either form; raises EventError for one that cannot be read."""
    if "names" in document and "kinds" in document:
        return explain_event(read_shown_event(document), rules)
    [found] = explain_events([dict(document)], rules)
    if isinstance(found, EventError):
        raise found
    return found


def read_shown_event(document: Mapping[str, Any]) -> Event:
    """An event as this API shows it; raises EventError for another form."""
    texts = ("id", "type", "subject", "topic")
    fits = (
        all(isinstance(document.get(name), str) for name in texts)
        and isinstance(document.get("time"), str | None)
        and isinstance(document["kinds"], list)
        and all(isinstance(kind, str) for kind in document["kinds"])
        and isinstance(document["names"], dict)
        and all(isinstance(fields, dict) for fields in document["names"].values())
    )
    if not fits:
        raise EventError("it is not in the form in which this API shows events, nor in Azure's")
    return Event.from_json({"time": None, **document})


def load_tried(text: str, settings: Settings) -> Rules:
    """The rules of a text, beside the files of the running rules; raises RulesError."""
    return load_rules_text(text, settings.rules, limit_settings(settings), require_settings=False)


def limit_settings(settings: Settings) -> Settings:
    """The settings, with only those app settings that the rule file shows by `${env.NAME}`.

    Rules that are being tried can show what they read, and other settings hold secrets.
    """
    files = [settings.rules] if settings.rules.is_file() else sorted(settings.rules.glob("*.y*ml"))
    named = {name for file in files for name in APP_SETTING.findall(file.read_text("utf-8"))}
    known = {name: text for name, text in settings.environment.items() if name in named}
    return replace(settings, environment=known)
