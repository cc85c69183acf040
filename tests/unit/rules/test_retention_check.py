"""How long responses must be kept, by how old an event may be that is acted on."""

import pytest

from mlevents.rules.model import THIRTY_DAYS
from tests.unit.rules.rule_files import TELL, load_text, problems

RULE = "rules:\n  - id: first\n    event: model.registered\n"


def file(defaults: str = "", rule: str = "") -> str:
    lines = f"defaults: {{{defaults}}}\n" if defaults else ""
    team = "connections:\n  team: {type: chat, url: {setting: HOOK}}\n"
    return f"version: 1\n{lines}{team}{RULE}{rule}{TELL}"


def test_responses_are_kept_for_30_days_unless_the_file_says_otherwise():
    assert load_text(file()).defaults.retention == THIRTY_DAYS
    assert load_text(file("retention: 90d")).defaults.retention == 3 * THIRTY_DAYS


@pytest.mark.parametrize(
    ("defaults", "rule", "place"),
    [
        ("max_age: 29d", "", "defaults.max_age"),
        ("retention: 3d, max_age: 48h", "", "defaults.max_age"),
        ("", "    max_age: 29d\n", "rules[0].max_age"),
        ("retention: 24h", "", "defaults.retention"),
    ],
)
def test_an_event_that_may_still_act_must_find_its_response(defaults: str, rule: str, place: str):
    [found] = problems(file(defaults, rule))
    assert f" {place}: " in found
    assert "retention" in found
    assert "24 h for which Event Grid delivers again" in found


@pytest.mark.parametrize(
    ("defaults", "rule"),
    [("max_age: 28d", ""), ("retention: 40d", "    max_age: 38d\n"), ("retention: 25h", "")],
)
def test_a_retention_that_is_long_enough_is_accepted(defaults: str, rule: str):
    assert problems(file(defaults, rule)) == []


def test_a_duration_without_a_unit_is_reported_once():
    assert len(problems(file("retention: 30"))) == 1
