"""The verbs of operators for many responses: each answers for itself, and a dry run does nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.sandbox_process import Stage
from tests.app.test_holds import RULES, WHY, ask, drift, ended, held, hold, release, runs


@pytest.fixture
def app(start: Callable[..., Stage]) -> Stage:
    return start(RULES, speed=600)


def bulk(stage: Stage, verb: str, **body: Any) -> dict[str, Any]:
    answer = ask(stage, "POST", f"bulk/{verb}", **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_waits_is_cancelled_in_bulk_page_by_page(app: Stage):
    hold(app)
    events = [drift(app, f"monitor-{number}") for number in range(3)]
    ids = {held(app, event)["id"] for event in events}
    wanted = {"rule": "retrain", "status": "waiting", "reason": WHY}
    listed = bulk(app, "cancel", dry_run=True, **wanted)
    assert {(one["id"], one["result"]) for one in listed["responses"]} == {(one, "selected") for one in ids}
    assert {held(app, event)["id"] for event in events} == ids, "a dry run does nothing"
    first = bulk(app, "cancel", limit=2, **wanted)
    assert [one["result"] for one in first["responses"]] == ["done", "done"]
    rest = bulk(app, "cancel", continuation=first["continuation"], **wanted)
    assert [one["result"] for one in rest["responses"]] == ["done"]
    assert {ended(app, event)["status"] for event in events} == {"stopped"}
    again = bulk(app, "cancel", rule="retrain", reason=WHY)
    assert {one["result"] for one in again["responses"]} == {"done"}, "the same verb again changes nothing"
    release(app)
    assert runs(app) == 0


def test_failed_responses_run_again_in_bulk_and_others_are_refused(app: Stage):
    app.fault(match="POST .*/createRun.*", status=403, times=1)
    failed = drift(app, "first")
    assert ended(app, failed)["status"] == "failed"
    [one] = bulk(app, "rerun", status="failed", reason=WHY)["responses"]
    assert one["result"] == "done"
    assert (ended(app, failed)["status"], ended(app, failed)["attempt"], runs(app)) == ("done", 2, 2)
    [refused] = bulk(app, "cancel", rule="retrain", reason=WHY)["responses"]
    assert (refused["result"], refused["status"]) == ("refused", "done")
    assert "it has ended" in refused["error"]


def test_a_wrong_filter_selects_nothing(app: Stage):
    wrong = ({"status": "lost"}, {"nonsense": 1}, {"limit": 101}, {"since": "yesterday"}, {"dry_run": "yes"})
    for body in wrong:
        assert ask(app, "POST", "bulk/cancel", reason=WHY, **body).status_code == 400, body
    assert ask(app, "POST", "bulk/cancel").status_code == 400, "a reason is required"
