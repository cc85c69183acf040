"""Fields of a service's answer: a shape that is not documented raises ValueError at once.

Use it within `sdk_errors.translate_errors`, which turns the ValueError into a TransientError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

RUN_NAME = re.compile(r"[A-Za-z0-9][-\w.]{0,254}", re.ASCII)
"""Names of jobs and runs; a name that matches is safe in the path of a URL."""


def require_object(value: Any, what: str) -> Mapping[str, Any]:
    """The value itself; raises ValueError unless it is a JSON object."""
    if isinstance(value, Mapping):
        return value
    raise ValueError(f"{what} is a {type(value).__name__}, not an object")


def require_list(value: Any, what: str) -> list[Any]:
    """The value itself, or an empty list for null; raises ValueError unless it is a JSON array."""
    if value is None or isinstance(value, list):
        return value or []
    raise ValueError(f"{what} is a {type(value).__name__}, not an array")


def require_text(value: Any, what: str) -> str:
    """The value itself; raises ValueError for anything but a text that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"{what} is not a text")


def require_time(value: Any, what: str) -> datetime:
    """The time of an ISO 8601 text; one without an offset is in UTC. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(require_text(value, what))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def require_run_name(value: Any, what: str) -> str:
    """The name of a job or run; raises ValueError for anything else."""
    if isinstance(value, str) and RUN_NAME.fullmatch(value):
        return value
    raise ValueError(f"{what} is not a run name")
