"""Where on the wire a normalised name comes from, for those that come from one place alone.

What stands here may be filtered on: a name is left out when anything else can answer for it (the
subject, a default, another member) or when it is worked out. Tests compare this with `parse`.
"""

from collections.abc import Mapping

from mlevents.events.event_type import EventType, Fields, event_type

PREFIX = "Microsoft.MachineLearningServices."

_RUN = {
    "run.experiment": "data.experimentName",
    "run.type": "data.runType",
    "run.tags": "data.runTags",
    "run.properties": "data.runProperties",
}
KEYS: Mapping[str, Mapping[str, str]] = {
    "ModelRegistered": {"model.tags": "data.modelTags", "model.properties": "data.modelProperties"},
    "ModelDeployed": {
        "deployment.compute_type": "data.serviceComputeType",
        "deployment.tags": "data.serviceTags",
        "deployment.properties": "data.serviceProperties",
    },
    "RunCompleted": _RUN,
    "RunStatusChanged": {**_RUN, "run.status": "data.runStatus"},
    "DatasetDriftDetected": {
        "drift.coefficient": "data.driftCoefficient",
        "drift.baseline": "data.baseDatasetId",
        "drift.target": "data.targetDatasetId",
    },
}
"""By function: the key that holds a name, as it is. A coefficient is a number on the wire."""

SUBJECTS: Mapping[str, Mapping[str, tuple[str, str]]] = {"ModelRegistered": {"model.name": ("models/", ":")}}
"""By function: what stands in the subject before and after a name. Documented to agree with `data`."""

SIGNS: Mapping[str, str] = {"RunStatusChanged": "data.runTags.azureml_modelmonitor_threshold_breached"}
"""By function: the key that an event has whenever it is of the derived kind too."""


def functions() -> dict[str, type[EventType]]:
    """The name of the Azure function for each event type; it is the type's own last word."""
    return {name.removeprefix(PREFIX): known for name, known in event_type.items()}


def kinds_of(known: type[EventType]) -> tuple[str, ...]:
    """Every kind that events of this type can be."""
    return (known.kind, *(other.kind for other in known.derived))


def fields_of(known: type[EventType]) -> Fields:
    """The names that events of this type can have, but for those that every event has."""
    fields = dict(known.fields)
    for other in known.derived:
        fields |= other.fields
    return fields
