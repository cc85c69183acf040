"""What `explain` says of gates that look when the response runs."""

from dataclasses import replace
from datetime import UTC, datetime

from mlevents.events import Event
from mlevents.gates.approve.gate import Approve
from mlevents.gates.budget import Budget
from mlevents.gates.group import Group
from mlevents.gates.throttle import Throttle
from tests.unit.gates.gate_world import WORKSPACE

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {"model": {"name": "net", "tags": {}}, "drift": {"threshold": 0.5}}
EVENT = replace(
    Event("e1", "model.registered", ("model.registered",), None, "models/net:7", WORKSPACE, {}), names=NAMES
)


def test_a_limit_shows_its_key():
    budget = Budget.model_validate({"key": "${model.name}", "at_most": 5, "per": "24h"})
    known = ' "net": at most 5 may act per 24 h, counted when the response runs'
    assert budget.preview(EVENT, NOW) == (None, known)
    throttle = Throttle.model_validate({"key": "${drift.threshold}", "once_per": "12h"})
    known = ' "0.5": one may act per 12 h, decided when the response runs'
    assert throttle.preview(EVENT, NOW) == (None, known)


def test_a_gate_that_waits_says_for_what():
    group = Group.model_validate({"key": "${model.name}", "wait": "60s"})
    known = ' "net": collects events for 1 min, or until there are 20, and one response acts for them'
    assert group.preview(EVENT, NOW) == (None, known)
    approve = Approve.model_validate({"ask": ["people", "chat"], "within": "8h", "by": ["ada@example.com"]})
    known = ": asks people, chat for an approval by ada@example.com, and waits for 8 h"
    assert approve.preview(EVENT, NOW) == (None, known)


def test_a_key_without_its_value_is_shown_as_what_fails():
    throttle = Throttle.model_validate({"key": "${model.tags.team}", "once_per": "12h"})
    holds, text = throttle.preview(EVENT, NOW)
    assert holds is False
    assert text.startswith(' "${model.tags.team}": ')
    assert text.endswith("the response fails before its first step")


def test_a_key_that_is_a_number_is_a_text():
    budget = Budget.model_validate({"key": "${drift.threshold}", "at_most": 5, "per": "24h"})
    assert Budget.model_validate(budget.fill(NAMES)).key == "0.5"
