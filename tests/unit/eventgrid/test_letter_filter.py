"""Which dead letters a replay takes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mlevents.eventgrid.letter_filter import LetterFilter
from mlevents.events.dead_letter import DeadLetter

LETTER = DeadLetter.read(
    {
        "id": "e-1",
        "subject": "models/fraud-net:3",
        "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
        "eventTime": "2026-03-02T09:00:00Z",
        "deadLetterReason": "UndeliverableDueToHttpForbidden",
    }
)
NINE, TEN = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (9, 10))


@pytest.mark.parametrize(
    ("filters", "taken"),
    [
        ({}, True),
        ({"since": NINE}, True),
        ({"since": TEN}, False),
        ({"until": TEN}, True),
        ({"until": NINE}, False),
        ({"type": "run.status_changed"}, True),
        ({"type": "runstatuschanged"}, True),
        ({"type": "microsoft.machinelearningservices.RunStatusChanged"}, True),
        ({"type": "drift.detected"}, True),  # a breach of a monitor is a status of a run
        ({"type": "run.completed"}, False),
        ({"type": "RunStatus"}, False),
        ({"subject": "models/fraud-*"}, True),
        ({"subject": "MODELS/FRAUD-NET:3"}, True),
        ({"subject": "models/fraud-"}, False),
        ({"subject": "models.fraud-net:3"}, False),
        ({"reason": "*forbidden"}, True),
        ({"reason": "TimeToLiveExceeded"}, False),
        ({"reason": "*forbidden", "subject": "models/churn:*"}, False),
    ],
)
def test_a_filter_takes_what_fits_all_of_it(filters: dict[str, Any], taken: bool):
    assert LetterFilter(**filters).selects(LETTER) is taken


def test_without_a_time_it_passes_only_where_no_time_is_asked_for():
    timeless = DeadLetter.read({"id": "e-1"})
    assert LetterFilter().selects(timeless)
    assert not LetterFilter(until=TEN).selects(timeless)
