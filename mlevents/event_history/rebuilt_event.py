"""The event that Azure sent when a model was registered or a run got its status, as far as it is remembered.

In Event Grid's schema, with the same id each time that it is rebuilt.
"""

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mlevents.canonical import canonical_resource_id
from mlevents.services.machine_learning.registered_models import ModelVersion
from mlevents.services.machine_learning.run_history import Experiment, HistoricRun

type EventDocument = dict[str, Any]

PREFIX = "Microsoft.MachineLearningServices."
EVENT_IDS = uuid.UUID("0d3c8f7e-51a4-4c1d-9a0b-6f2be1d0c9a7")
"""The namespace of the ids of rebuilt events."""
COMPLETED = "completed"


def rebuild_model_event(topic: str, model: ModelVersion) -> EventDocument:
    """The event of a version's registration, with the tags that it has now; `topic` is the workspace's id."""
    members = {
        "modelName": model.name,
        "modelVersion": model.version,
        "modelTags": dict(model.tags),
        "modelProperties": dict(model.properties),
    }
    subject = f"models/{model.name}:{model.version}"
    return _document(topic, "ModelRegistered", (subject, model.created, members), "")


def rebuild_run_events(
    topic: str, run: HistoricRun, experiment: Experiment | None
) -> Iterator[EventDocument]:
    """The events of the last status that a run got: two for a run that completed."""
    members: dict[str, Any] = {
        "experimentId": run.experiment_id,
        "experimentName": experiment.name if experiment else None,
        "runId": run.id,
        "runType": run.type,
        "runTags": dict(run.tags),
        "runProperties": dict(run.properties),
    }
    subject = f"experiments/{run.experiment_id}/runs/{run.id}"
    status = {**members, "runStatus": run.status}
    yield _document(topic, "RunStatusChanged", (subject, run.changed, status), run.status)
    if run.status.casefold() == COMPLETED:
        yield _document(topic, "RunCompleted", (subject, run.changed, members), run.status)


def _document(
    topic: str, kind: str, content: tuple[str, datetime, Mapping[str, Any]], status: str
) -> EventDocument:
    subject, moment, members = content
    identity = "\n".join((canonical_resource_id(topic), kind, subject, status))
    return {
        "id": str(uuid.uuid5(EVENT_IDS, identity)),
        "topic": topic,
        "subject": subject,
        "eventType": f"{PREFIX}{kind}",
        "eventTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "data": dict(members),
        "dataVersion": "2",
        "metadataVersion": "1",
    }
