"""Fields whose values Azure takes from a set, so that a value outside it is a mistake."""

from collections.abc import Mapping
from typing import NamedTuple


class KnownValues(NamedTuple):
    """The values of a field; `is_closed` says that Azure sends no other value."""

    values: tuple[str, ...]
    is_closed: bool = True


KNOWN_VALUES: Mapping[tuple[str, ...], KnownValues] = {
    # azure-ai-ml's JobStatus; a later version of Azure may have more.
    ("run", "status"): KnownValues(
        (
            "NotStarted",
            "Starting",
            "Provisioning",
            "Preparing",
            "Queued",
            "Running",
            "Finalizing",
            "CancelRequested",
            "Completed",
            "Failed",
            "Canceled",
            "NotResponding",
            "Paused",
            "Scheduled",
            "Unknown",
        ),
        is_closed=False,
    ),
    ("drift", "generation"): KnownValues(("v1", "v2")),
}

STATUS_SYNONYMS: Mapping[str, str] = {
    "succeeded": "Completed",
    "success": "Completed",
    "successful": "Completed",
    "done": "Completed",
    "finished": "Completed",
    "ok": "Completed",
    "error": "Failed",
    "errored": "Failed",
    "failure": "Failed",
    "aborted": "Canceled",
    "stopped": "Canceled",
    "killed": "Canceled",
    "pending": "Queued",
    "inprogress": "Running",
    "started": "Running",
}
"""What other systems call a run's status."""

PLAIN_NAMES = frozenset(
    {
        ("model", "name"),
        ("model", "version"),
        ("run", "id"),
        ("run", "experiment"),
        ("run", "experiment_id"),
        ("deployment", "service"),
        ("deployment", "models"),
        ("workspace", "name"),
        ("workspace", "resource_group"),
        ("workspace", "subscription"),
        ("workspace", "id"),
    }
)
"""Fields in which Azure allows no `*`, `?`, `[` or `]`."""
