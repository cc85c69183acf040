"""The faults that each external call meets, as the sandbox injects them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

PATIENCE = 0.5
"""Seconds that the SDKs wait for an answer in these tests, in the place of a minute."""
LATE = 0.3
"""Seconds after which a request is done whose answer nobody waits for."""
SILENCE = {"delay": PATIENCE + LATE / 2}
"""No answer while the caller waits; the work is done afterwards."""


def _throttled(wait: str) -> dict[str, Any]:
    return {"status": 429, "headers": {"Retry-After": wait}}


REFUSALS: dict[str, Mapping[str, Any]] = {str(one): {"status": one} for one in (400, 401, 403, 404)}
"""What does not pass: the step may fail."""
PASSING: dict[str, Mapping[str, Any]] = {
    **{str(status): {"status": status} for status in (409, 500, 503)},
    "429 with seconds": _throttled("7"),
    "429 with a date": _throttled(format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)),
    "reset before": {"drop": True},
    "reset after": {"drop": True, "after": True},
    "silence": SILENCE,
    "malformed JSON": {"body": '{"value": ['},
    "malformed JSON after": {"body": '{"value": [', "after": True},
}
"""What passes: the step succeeds at a later attempt."""
EXTERNAL = {**REFUSALS, **PASSING}
