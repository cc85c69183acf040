"""Dead letters are read in both schemas, and the event in them is the one that was published."""

import json
from typing import Any

import pytest

from mlevents.errors import EventError
from mlevents.events.dead_letter import ADDED_MEMBERS, DeadLetter, read_dead_letters

GRID = {
    "id": "e-1",
    "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w",
    "subject": "models/churn:3",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-03-02T09:15:17.1234567Z",
    "data": {"ModelName": "churn", "publishTime": "kept"},
    "dataVersion": "2",
    "metadataVersion": "1",
}
CLOUD = {
    "specversion": "1.0",
    "id": "e-1",
    "source": GRID["topic"],
    "subject": GRID["subject"],
    "type": GRID["eventType"],
    "time": GRID["eventTime"],
    "data": GRID["data"],
}
DETAILS = {
    "deadLetterReason": "MaxDeliveryAttemptsExceeded",
    "deliveryAttempts": 30,
    "lastDeliveryOutcome": "NotFound",
    "publishTime": "2026-03-02T09:15:18Z",
    "lastDeliveryAttemptTime": "2026-03-03T09:15:18+00:00",
}


def read_one(document: Any) -> DeadLetter:
    [found] = read_dead_letters(json.dumps(document))
    assert isinstance(found, DeadLetter)
    return found


@pytest.mark.parametrize("plain", [GRID, CLOUD])
def test_both_schemas_say_the_same(plain):
    lower = {name.lower(): value for name, value in DETAILS.items()}
    found = read_one([plain | (lower if plain is CLOUD else DETAILS)])
    assert found.event == plain, "what Event Grid added is gone, also not from the data"
    said = (found.id, found.type, found.subject, found.topic)
    assert said == ("e-1", GRID["eventType"], "models/churn:3", GRID["topic"])
    assert (found.reason, found.attempts, found.outcome) == ("MaxDeliveryAttemptsExceeded", 30, "NotFound")
    assert (found.time, found.published) == ("2026-03-02T09:15:17.123456Z", "2026-03-02T09:15:18Z")
    assert found.tried == "2026-03-03T09:15:18Z"


def test_a_plain_event_is_a_dead_letter_without_a_reason():
    found = read_one(GRID)
    assert (found.event, found.reason, found.attempts) == (GRID, None, None)
    assert found.happened == found.time


def test_what_cannot_be_read_in_a_dead_letter_is_absent():
    found = read_one({"id": 7, "eventTime": "yesterday", "publishTime": "2026-03-02T09:15:18Z"})
    assert (found.id, found.type, found.time) == ("", "", None)
    assert found.happened == "2026-03-02T09:15:18Z"
    assert found.event == {"id": 7, "eventTime": "yesterday"}


def test_a_blob_may_hold_one_event_or_one_a_line():
    lines = "\n".join([json.dumps([GRID, GRID]), "", json.dumps(CLOUD)])
    assert len(read_dead_letters(lines.encode())) == 3
    assert len(read_dead_letters(json.dumps(GRID, indent=2))) == 1


def test_an_element_that_is_no_object_spoils_no_other():
    found = read_dead_letters(json.dumps([GRID, "text", CLOUD]))
    assert [type(one) for one in found] == [DeadLetter, EventError, DeadLetter]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"id": 1}\n{'])
def test_a_blob_that_is_not_json_is_an_error(content):
    with pytest.raises(EventError):
        read_dead_letters(content)


def test_the_names_that_event_grid_adds_are_folded():
    assert tuple(name.lower() for name in DETAILS) == ADDED_MEMBERS
