"""The verbs of the console are those of the API, and a refusal is shown with its reason."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, Operation, operations
from mlevents.console import page as console_page
from mlevents.console.console import BrowserRequest, answer_browser
from mlevents.console.page import PageAnswer
from mlevents.console.pages.response import VERBS
from mlevents.console.pages.rules import HOLD_VERBS
from mlevents.console.pages.selection import SELECTED_VERBS

LOCAL = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def refuse(*_: Any) -> Any:
    raise AssertionError("no page of this test reads it")


APP = AppState(cast(Any, None), NOW, refuse, refuse, list)


def post(place: str, form: str) -> PageAnswer:
    request = BrowserRequest("POST", f"https://app/api/console/{place}", place, body=form.encode())
    return asyncio.run(answer_browser(request, APP, LOCAL))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """What was asked of the API: `busy` refuses everything, and `slow` stays held for a while."""
    found: list[tuple[str, str, Any]] = []

    def find(name: str) -> Operation:
        real = operations.find(name)

        async def perform(request: ApiRequest, _: AppState) -> ApiAnswer:
            subject = request.path.get("id", "*")
            found.append((name, subject, request.body.reason))
            if subject == "busy":
                raise ApiError(409, "it has not ended", state="running")
            return ApiAnswer(
                {"hold": {"by": "ann"} if subject == "slow" or name.startswith("Hold") else None}
            )

        return Operation(name, real.method, real.path, perform, real.parameters, real.body)

    monkeypatch.setattr(console_page, "find_operation", find)
    return found


def test_every_verb_is_an_operation_of_the_api():
    for verb, operation in VERBS.items():
        assert operations.find(operation).path == f"v1/responses/{{id}}/{verb}"
    assert set(SELECTED_VERBS) <= set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_leads_back_to_its_response(verb: str, asked: list[Any]):
    answer = post(f"responses/r.1/{verb}", "reason=because+of+it")
    assert (answer.status, answer.headers["Location"]) == (303, f"/api/console/responses/r.1?done={verb}")
    assert asked == [(VERBS[verb], "r.1", "because of it")]


def test_a_refusal_is_shown_with_its_reason(asked: list[Any]):
    answer = post("responses/busy/cancel", "reason=x")
    assert answer.status == 409
    assert "it has not ended" in str(answer.body)


def test_an_unknown_verb_asks_nothing(asked: list[Any]):
    assert post("responses/r.1/explode", "reason=x").status == 404
    assert asked == []


def test_a_selection_is_asked_one_by_one_and_says_who_refused(asked: list[Any]):
    answer = post("responses", "id=a.1&id=busy&id=b.2&verb=rerun&reason=night")
    assert [one[1] for one in asked] == ["a.1", "busy", "b.2"]
    assert "2 done, 1 refused" in str(answer.body)
    assert "busy: it has not ended" in str(answer.body)


def test_a_selection_of_nothing_says_so(asked: list[Any]):
    assert post("responses", "verb=rerun&reason=x").status == 400
    assert asked == []


@pytest.mark.parametrize("verb", HOLD_VERBS)
@pytest.mark.parametrize(("place", "subject"), [("retrain/", "retrain"), ("", "*")])
def test_a_hold_of_a_rule_or_of_everything_leads_back(verb: str, place: str, subject: str, asked: list[Any]):
    answer = post(f"rules/{place}{verb}", "reason=maintenance")
    assert (answer.status, answer.headers["Location"]) == (303, f"/api/console/rules?done={verb}")
    assert asked == [(HOLD_VERBS[verb][subject == "*"], subject, "maintenance")]


def test_a_verb_that_is_not_stored_yet_is_not_called_done(asked: list[Any]):
    assert post("rules/slow/release", "reason=x").headers["Location"] == "/api/console/rules?sent=release"


def test_a_hold_without_a_reason_is_refused(asked: list[Any]):
    assert post("rules/retrain/hold", "reason=+").status == 400
    assert post("rules/retrain/explode", "reason=x").status == 404
    assert asked == []
