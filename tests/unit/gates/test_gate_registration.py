"""A gate is added by its registration alone, and works in a rule file at once."""

from datetime import datetime

import pytest

from mlevents.events import Event
from mlevents.gates.gate import Gate, gate, gates_in_order
from mlevents.rule_tests.expectations import list_other_stop_paths
from mlevents.rules.syntax import rule_file_model
from tests.unit.rules.rule_files import HEAD, TELL, problems


class Weekdays(Gate):
    """Nothing is done on these days."""

    position = 15
    stage = "delivery"

    closed: list[str]

    def objection_to_event(self, event: Event, now: datetime, /) -> str | None:
        return f"{now:%A} is closed" if f"{now:%A}" in self.closed else None


@pytest.fixture
def weekdays(monkeypatch: pytest.MonkeyPatch) -> None:
    gate.names()
    monkeypatch.setitem(gate._elements, "weekdays", Weekdays)


@pytest.mark.usefixtures("weekdays")
def test_its_key_its_place_and_its_mistakes_are_known():
    assert list(gates_in_order())[:3] == ["max_age", "weekdays", "dedupe"]
    assert "weekdays" in list_other_stop_paths()
    [problem] = problems(f"{HEAD}    weekdays: {{closd: [Sunday]}}\n{TELL}")
    assert "rules[0].weekdays.closd: unknown key (did you mean 'closed'?)" in problem


def test_without_a_module_the_key_is_unknown():
    [problem] = problems(f"{HEAD}    weekdays: {{closed: [Sunday]}}\n{TELL}")
    assert "rules[0].weekdays: unknown key" in problem


def test_a_gate_never_takes_the_key_of_a_rule(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(gate._elements, "where", Weekdays)
    with pytest.raises(ValueError, match="the gate 'where' has the name of a key that every rule has"):
        rule_file_model()
