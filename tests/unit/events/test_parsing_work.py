"""What parsing an event costs, counted in calls: a time would be another one on each machine."""

import json

import pytest

from mlevents.events import parse
from tests.unit.call_count import count_python_calls
from tests.unit.events.event_samples import sample

MOST_CALLS = {
    "model-registered-event-grid": 40,
    "model-deployed-event-grid": 40,
    "run-completed-mixed-case": 55,
    "run-completed-automl-child": 48,
    "run-status-changed-step": 62,
    "run-status-changed-breach": 135,
    "drift-detected-event-grid": 60,
}
"""The calls of Python functions that an event may cost: a tenth more than when this was written."""


@pytest.mark.parametrize("name", MOST_CALLS)
@pytest.mark.parametrize("letter", ["a", "é"])
def test_an_event_is_parsed_in_few_calls(name: str, letter: str) -> None:
    found = json.loads(sample(name))
    event = found[0] if isinstance(found, list) else found
    parse(event | {"id": "before"})  # workspaces and breaches are remembered
    text = json.dumps(event | {"id": letter}, ensure_ascii=False)
    calls, parsed = count_python_calls(lambda: parse(text))
    assert parsed.id == letter
    assert calls <= MOST_CALLS[name]
