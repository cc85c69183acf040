"""Reads what the task hub stores about an orchestration: input, custom status, output, and why it failed."""

import json
from contextlib import suppress
from typing import Any

from durabletask.client import OrchestrationState, OrchestrationStatus

from mlevents.orchestration.json_message import Json
from mlevents.services.sdk_errors import clean_text

LONGEST_FAILURE = 500


def status_of(state: OrchestrationState) -> Json:
    """The custom status; empty before the orchestration has run."""
    return read_object(state.serialized_custom_status)


def output_of(state: OrchestrationState) -> Json:
    """What a completed orchestration returned, where it was fetched."""
    completed = state.runtime_status is OrchestrationStatus.COMPLETED
    return read_object(state.serialized_output) if completed else {}


def input_of(state: OrchestrationState) -> Json:
    """The input, where it was fetched."""
    return read_object(state.serialized_input)


def read_object(text: str | None) -> Json:
    """A JSON object, which JSON text may hold once more as text; empty for anything else.

    It is read without the durable library, which makes Python objects of maps that hold `__class__`.
    """
    found: Any = text
    for _ in range(2):
        try:
            found = json.loads(found) if isinstance(found, str) else found
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}


def failure_text(state: OrchestrationState) -> str:
    """Why an orchestration ended badly, in one line; what terminated it left the reason as its output."""
    if details := state.failure_details:
        reason: Any = f"{details.error_type}: {details.message}"
    else:
        reason = state.serialized_output or ""
        with suppress(ValueError):
            reason = json.loads(reason)
    return clean_text(" ".join(str(reason or "").split()))[:LONGEST_FAILURE]
