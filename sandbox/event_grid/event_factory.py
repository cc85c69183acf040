"""Events as the workspace publishes them."""

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
BREACH = (
    "The signal '{}' has failed due to one or more features violating metric thresholds.\n"
    "The feature names and their corresponding computed metric values violating the threshold are \n{}\n"
)
DRIFTED = (("amount", 0.41, "JensenShannonDistance", 0.1), ("country", 0.02, "PearsonsChiSquaredTest", 0.05))
type Row = tuple[str | None, float, str, float]
PREFIX = "Microsoft.MachineLearningServices."


class EventFactory:
    """Events of one workspace in the Event Grid schema; `workspace` is its ARM id."""

    workspace: str

    def event(self, kind: str, subject: str, data: Json, topic: str | None = None) -> Json:
        """An event in the Event Grid schema, as the workspace would raise it now."""
        return {
            "id": str(uuid.uuid4()),
            "topic": topic or self.workspace,
            "subject": subject,
            "eventType": PREFIX + kind,
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime()),
            "data": data,
            "dataVersion": "2",
            "metadataVersion": "1",
        }

    def model_registered(self, name: str, version: str, tags: Json, topic: str | None = None) -> Json:
        """A ModelRegistered event."""
        data = {"modelName": name, "modelVersion": version, "modelTags": tags, "modelProperties": {}}
        return self.event("ModelRegistered", f"models/{name}:{version}", data, topic)

    def run_status_changed(self, run: str, status: str, tags: Json | None = None) -> Json:
        """A RunStatusChanged event of a pipeline run."""
        experiment = "0b5cf7c2-31a5-4c55-9a4e-2f8a3c1f6f10"
        data = {
            "runStatus": status,
            "experimentId": experiment,
            "experimentName": "train-fraud",
            "runId": run,
            "runType": "azureml.PipelineRun",
            "runTags": tags or {},
            "runProperties": {},
        }
        return self.event("RunStatusChanged", f"experiments/{experiment}/runs/{run}", data)

    def signal_breached(
        self, monitor_run: str, signal: str, status: str, found: Iterable[Row] = DRIFTED
    ) -> Json:
        """A RunStatusChanged event of the step of a monitor's run that found a signal beyond its threshold.

        Each signal is evaluated by a step of its own, which Azure tags with the breach and with the
        monitor's run (azureml-assets, `model_monitor_evaluate_metrics_threshold`). `found` are rows of group,
        value, metric and threshold; Spark writes each as JSON without nulls.
        """
        names = ("group", "metric_value", "metric_name", "threshold_value")
        rows = [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in found
        ]
        listed = [json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows]
        tags = {
            "azureml.pipelinerunid": monitor_run,
            "mlflow.rootRunId": monitor_run,
            "azureml_modelmonitor_threshold_breached": BREACH.format(signal, listed),
        }
        event = self.run_status_changed(f"{monitor_run}-{signal}", status, tags)
        event["data"]["runType"] = "azureml.StepRun"
        return event

    def drift_detected(self, monitor: str, coefficient: float) -> Json:
        """A DatasetDriftDetected event, as version 1 of data drift raises it."""
        identity, run = str(uuid.uuid4()), str(uuid.uuid4())
        data = {
            "dataDriftId": identity,
            "dataDriftName": monitor,
            "runId": run,
            "baseDatasetId": str(uuid.uuid4()),
            "targetDatasetId": str(uuid.uuid4()),
            "driftCoefficient": coefficient,
            "startTime": "2025-07-04T00:00:00+00:00",
            "endTime": "2025-07-05T00:00:00+00:00",
        }
        return self.event("DatasetDriftDetected", f"datadrift/{identity}/run/{run}", data)
