"""What else people call an event: Azure's names, and the names of statuses."""

from collections.abc import Mapping

from mlevents.events.event_type import event_type
from mlevents.events.known_values import KNOWN_VALUES, STATUS_SYNONYMS

_AZURE = "microsoft.machinelearningservices."
_OTHERS: Mapping[str, str] = {
    "model.created": "model.registered",
    "model.new": "model.registered",
    "model.added": "model.registered",
    "model.updated": "model.tagged",
    "model.changed": "model.tagged",
    "model.tag_changed": "model.tagged",
    "model.tags_changed": "model.tagged",
    "model.stage_changed": "model.tagged",
    "model.promoted": "model.tagged",
    "model.archived": "model.tagged",
    "endpoint.deployed": "model.deployed",
    "deployment.created": "model.deployed",
    "job.completed": "run.completed",
    "job.status_changed": "run.status_changed",
    "data.drift": "drift.detected",
    "dataset.drift": "drift.detected",
    "data_drift": "drift.detected",
    "drift": "drift.detected",
    "monitor.breach": "drift.detected",
}


def suggest_event(name: str) -> str:
    """The remedy for an event name that other systems use; empty if there is none."""
    lower = name.lower()
    for wire, known in event_type.items():
        if lower.removeprefix(_AZURE) == wire.lower().removeprefix(_AZURE):
            return f"write '{known.kind}'"
    if lower in _OTHERS:
        return f"write '{_OTHERS[lower]}'"
    if status := find_run_status(name):
        return f"write 'run.status_changed' with `where: {{run: {{status: {status.lower()}}}}}`"
    return ""


def find_run_status(name: str) -> str:
    """The status of an event name such as run.failed, as Azure writes it; empty if it has none."""
    root, _, word = name.lower().partition(".")
    statuses = {status.lower(): status for status in KNOWN_VALUES["run", "status"].values}
    status = statuses.get(word) or STATUS_SYNONYMS.get(word) or {"cancelled": "Canceled"}.get(word)
    return status if root in ("run", "job") and status and name.lower() not in _OTHERS else ""
