"""The status of a run changed; raised for every status of every run, steps and trials too.

    {
      "id": "6a0c6f0e-5f3b-4f0e-9c55-0d6f3c1b7a04",
      "topic": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
      "subject": "experiments/0b7c2f7e-58c2-4c0e-9f0e-7d1f4c9e5a22/runs/evaluate-7",
      "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
      "eventTime": "2026-03-02T06:00:12.0042731Z",
      "data": {
        "experimentId": "0b7c2f7e-58c2-4c0e-9f0e-7d1f4c9e5a22",
        "experimentName": "fraud-monitor",
        "runId": "evaluate-7",
        "runType": "azureml.StepRun",
        "runStatus": "Failed",
        "runTags": {
          "azureml.pipelinerunid": "monitor-run-3",
          "azureml_modelmonitor_threshold_breached": "The signal 'fraud-inputs' has failed due to one or more features violating metric thresholds.\\nThe feature names and their corresponding computed metric values violating the threshold are \\n['{\\"group\\":\\"amount\\",\\"metric_value\\":0.41,\\"metric_name\\":\\"JensenShannonDistance\\",\\"threshold_value\\":0.1}']\\n"
        },
        "runProperties": {"azureml.runsource": "azureml.StepRun"}
      },
      "dataVersion": "2",
      "metadataVersion": "1"
    }

A run with a monitor's breach tag, as here, is a drift as well; see `mlevents.events.breach`.
"""  # noqa: E501

from typing import ClassVar

from mlevents.events.breach import DRIFT, TAG, has_breach_tag, write_members
from mlevents.events.event_type import Derived, EventType, Fields, event_type
from mlevents.events.run import RUN


@event_type("Microsoft.MachineLearningServices.RunStatusChanged")
class RunStatusChanged(EventType):
    """The status of a run changed: published for every status of every run, steps and trials too."""

    kind = "run.status_changed"
    function = "RunStatusChanged"
    subject = "experiments/{run.experiment_id}/runs/{run.id}"
    about = ("run", "id")
    fields: ClassVar[Fields] = {"run": RUN}
    derived = (
        Derived("drift.detected", has_breach_tag, {"drift": DRIFT}, write_members, f"data.runTags.{TAG}"),
    )
