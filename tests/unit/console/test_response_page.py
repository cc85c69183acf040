"""The page of one response: which phases are still to come, and what can be asked of it."""

from typing import Any

import pytest

from mlevents.console.pages.response import list_upcoming, list_verbs, read_traffic

ROLLOUT = {"smoke_test": {}, "steps": [{"percent": 10}, {"percent": 50}, {"percent": 100}]}
PLAN = {"with": {"rollout": ROLLOUT}}
OLD = {"blue": 100}


def phase(name: str, traffic: dict[str, int] | None = None) -> dict[str, Any]:
    return {"phase": name, "seconds": 1.0, "detail": "", "traffic": traffic or {}}


def step(*phases: dict[str, Any], status: str = "running") -> dict[str, Any]:
    return {"id": "deploy", "status": status, "phases": list(phases)}


def test_the_phases_to_come_are_those_of_the_plan_after_the_last_one():
    begun = step(
        phase("endpoint", OLD), phase("deployment", OLD), phase("smoke test", OLD), phase("10 %", OLD)
    )
    assert list_upcoming(begun, PLAN) == ["50 %", "100 %", "retired"]


def test_a_first_deployment_takes_all_traffic_at_once():
    begun = step(phase("endpoint"), phase("deployment"))
    assert list_upcoming(begun, PLAN) == ["smoke test", "100 %", "retired"]


@pytest.mark.parametrize("status", ["done", "failed", "stopped"])
def test_nothing_is_to_come_after_the_end(status: str):
    assert list_upcoming(step(phase("endpoint", OLD), status=status), PLAN) == []


@pytest.mark.parametrize("plan", [{}, {"with": {}}, {"with": {"rollout": "${model.tags.rollout}"}}])
def test_a_plan_without_a_rollout_has_no_phases(plan: dict[str, Any]):
    assert list_upcoming(step(phase("endpoint", OLD)), plan) == []


@pytest.mark.parametrize(
    ("found", "verbs"),
    [
        (
            {"status": "running", "because": None, "rule": "r", "steps": [step(phase("10 %"))]},
            ["promote", "abort", "cancel"],
        ),
        (
            {
                "status": "waiting",
                "because": "approve: asked people for an approval",
                "rule": "r",
                "steps": [step(phase("10 %"))],
            },
            ["abort", "cancel"],
        ),
        ({"status": "waiting", "rule": "r", "steps": []}, ["cancel"]),
        ({"status": "failed", "rule": "r", "steps": [step(phase("10 %"), status="failed")]}, ["rerun"]),
        ({"status": "quarantined", "rule": None, "steps": []}, ["replay"]),
    ],
)
def test_only_what_can_be_asked_now_is_offered(found: dict[str, Any], verbs: list[str]):
    assert list_verbs(found) == verbs


def test_only_phases_in_which_something_served_are_drawn():
    drawn = list(read_traffic([phase("endpoint"), phase("10 %", {"blue": 90, "green": 10})]))
    assert [one.name for one in drawn] == ["10 %"]
