"""A run completed.

    {
      "id": "6a0c6f0e-5f3b-4f0e-9c55-0d6f3c1b7a03",
      "topic": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
      "subject": "experiments/5d0f4a6c-3d1b-4b61-8a56-6f9a0d0b2c11/runs/train-fraud-42",
      "eventType": "Microsoft.MachineLearningServices.RunCompleted",
      "eventTime": "2026-03-02T08:58:01.75+00:00",
      "data": {
        "experimentId": "5d0f4a6c-3d1b-4b61-8a56-6f9a0d0b2c11",
        "experimentName": "train-fraud",
        "runId": "train-fraud-42",
        "runType": "azureml.scriptrun",
        "RunTags": {"commit": "abc1234"},
        "runProperties": {"target": "cpu-cluster"}
      },
      "dataVersion": "2",
      "metadataVersion": "1"
    }

One event can mix casings, as here (captured). It may carry a runStatus; without one it is Completed.
"""  # noqa: E501

from typing import ClassVar

from mlevents.events.content import Content
from mlevents.events.event_type import EventType, Field, Fields, event_type
from mlevents.events.run import RUN, RUN_STATUS_MEANING


def _status(content: Content) -> str:
    return RUN["status"].read(content) or "Completed"


@event_type("Microsoft.MachineLearningServices.RunCompleted")
class RunCompleted(EventType):
    """A run is completed."""

    kind = "run.completed"
    function = "RunCompleted"
    subject = "experiments/{run.experiment_id}/runs/{run.id}"
    about = ("run", "id")
    fields: ClassVar[Fields] = {
        "run": {**RUN, "status": Field("text", _status, "runStatus", description=RUN_STATUS_MEANING)}
    }
