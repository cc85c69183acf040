"""Azure Machine Learning: one workspace, put together from its parts, and what it starts with."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from mlevents.events import Event
from sandbox.azure.identity import Identity
from sandbox.azure.machine_learning.assets import Assets, Kind
from sandbox.azure.machine_learning.batch_endpoints import BatchEndpoints
from sandbox.azure.machine_learning.deployments import OnlineDeployments
from sandbox.azure.machine_learning.endpoint_keys import EndpointKeys
from sandbox.azure.machine_learning.endpoints import OnlineEndpoints
from sandbox.azure.machine_learning.jobs import Jobs
from sandbox.azure.machine_learning.metadata import Metadata
from sandbox.azure.machine_learning.online_state import Endpoints
from sandbox.azure.machine_learning.registries import Registries
from sandbox.azure.machine_learning.run_history import RunHistory
from sandbox.azure.machine_learning.runs import FINAL, Run
from sandbox.azure.machine_learning.scoring import Scoring
from sandbox.azure.machine_learning.scoring_access import ScoringAccess
from sandbox.azure.monitor.metrics import Monitor
from sandbox.azure.operations import Operations
from sandbox.azure.rights.authorization import Authorization
from sandbox.azure.routes import Routes
from sandbox.azure.workspace import Workspace

KINDS = (
    Kind("models", ("modelUri",), {"modelType": "custom_model", "flavors": {}}),
    Kind("components", ("componentSpec",)),
    Kind("environments", ("image", "condaFile", "build")),
    Kind("codes"),
    Kind("data", ("dataUri",)),
)
COMPUTES: Mapping[str, Mapping[str, Any]] = {
    "cpu-cluster": {
        "vmSize": "STANDARD_DS3_V2",
        "vmPriority": "Dedicated",
        "osType": "Linux",
        "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"},
    }
}
RETRAIN: Mapping[str, Any] = {
    "$schema": "https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json",
    "name": "retrain",
    "version": "1",
    "display_name": "retrain",
    "type": "pipeline",
    "is_deterministic": "False",
    "inputs": {
        "learning_rate": {"type": "number", "default": "0.1", "optional": "False"},
        "reason": {"type": "string", "default": "none", "optional": "False"},
    },
    "outputs": {},
}
TRAIN: Mapping[str, Any] = {
    "$schema": "https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json",
    "name": "train",
    "version": "1",
    "display_name": "train",
    "type": "command",
    "is_deterministic": "False",
    "command": "python train.py",
    "inputs": {},
    "outputs": {},
}
ENVIRONMENT = {
    "image": "mcr.microsoft.com/azureml/minimal-ubuntu22.04-py39-cpu-inference:latest",
    "osType": "Linux",
    "environmentType": "UserCreated",
}
PIPELINE_TAG = "azureml.pipelinerunid"
ANNOUNCED = {
    "modelType": "mlflow_model",
    "modelUri": "azureml://jobs/announced/outputs/artifacts/paths/model",
}


def _announced_run(run: Mapping[str, Any]) -> Run:
    """The run of an event, by its normalised names."""
    status = str(run["status"])
    content = {"tags": run["tags"], "properties": run["properties"]}
    return Run(
        run["id"],
        run.get("experiment", "Default"),
        run.get("type", "azureml.scriptrun"),
        {**content, "status": next((one for one in FINAL if one.lower() == status.lower()), status)},
        parent=run["tags"].get(PIPELINE_TAG),
        experiment_id=run.get("experiment_id", ""),
    )


class Part(Protocol):
    """A part of the workspace that serves something."""

    def register(self, routes: Routes) -> None:
        """Say on which routes."""
        ...


class MachineLearning:
    """The workspace. `assets` are its collections by kind, `endpoints` and `scoring` its data plane."""

    def __init__(
        self,
        workspace: Workspace,
        operations: Operations,
        identity: Identity,
        authorization: Authorization,
        registries: Registries,
    ) -> None:
        self.id = workspace.id
        self.assets = {kind.name: self._collection(workspace, kind) for kind in KINDS}
        self._registries = registries
        endpoints = self.endpoints = Endpoints()
        access = ScoringAccess(workspace.pace, identity, authorization)
        self.scoring = Scoring(workspace, endpoints, self._find_model, access)
        jobs = self._jobs = Jobs(workspace, operations, self.assets, COMPUTES)
        self.batch = BatchEndpoints(workspace, jobs)
        self._parts: tuple[Part, ...] = (
            Metadata(workspace, COMPUTES),
            *self.assets.values(),
            OnlineEndpoints(workspace, operations, endpoints, authorization),
            EndpointKeys(workspace.pace, operations, endpoints),
            OnlineDeployments(workspace, operations, endpoints, self.assets, registries),
            jobs,
            RunHistory(jobs.runs),
            self.batch,
            self.scoring,
            Monitor(workspace, endpoints, self.scoring.scores),
        )
        self._seed(workspace)

    def register(self, routes: Routes) -> None:
        """Serve every part."""
        for part in self._parts:
            part.register(routes)

    def remember_announced(self, event: Event) -> None:
        """Remember the model or the run that a published event of this workspace announces."""
        if event.topic.lower().rstrip("/") != self.id.lower():
            return
        moment = datetime.fromisoformat(event.time) if event.time else datetime.now(UTC)
        model, run = event.names.get("model", {}), event.names.get("run", {})
        if event.type == "model.registered":
            properties = {**ANNOUNCED, "tags": model["tags"], "properties": model["properties"]}
            announced = {"properties": properties}
            self.assets["models"].put(model["name"], model["version"], announced, made=moment)
        elif "status" in run:
            self._jobs.runs.announce(_announced_run(run), moment)

    def _find_model(self, reference: str) -> dict[str, Any] | None:
        return self.assets["models"].find(reference) or self._registries.find_model(reference)

    def _collection(self, workspace: Workspace, kind: Kind) -> Assets:
        def registered(name: str, version: str, properties: dict[str, Any]) -> None:
            content = {
                "modelName": name,
                "modelVersion": version,
                "modelTags": dict(properties["tags"]),
                "modelProperties": dict(properties["properties"]),
            }
            workspace.publish_event("ModelRegistered", f"models/{name}:{version}", content)

        return Assets(workspace, kind, registered) if kind.name == "models" else Assets(workspace, kind)

    def _seed(self, workspace: Workspace) -> None:
        self.assets["environments"].put("inference", "1", {"properties": ENVIRONMENT})
        job = {"type": "command", "componentId": f"{workspace.id}/components/train/versions/1"}
        image = f"azureml:{workspace.id}/environments/inference/versions/1"
        for spec in ({**TRAIN, "environment": image}, {**RETRAIN, "jobs": {"train": job}}):
            self.assets["components"].put(spec["name"], "1", {"properties": {"componentSpec": spec}})
        self.batch.add("retrain-batch", "default", f"{workspace.id}/components/retrain/versions/1")
