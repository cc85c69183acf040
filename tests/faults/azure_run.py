"""One response in Microsoft's executor, whose activities call the sandbox's Azure over TLS by the real SDKs.

Timers of the orchestration take virtual time; Azure's own waits run at the speed of the server.
"""

import json
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from mlevents.orchestration.messages import Call
from mlevents.responses.step_activity import attempt_call
from mlevents.services.services import Services
from sandbox.azure.workspace import FACTORY_ID
from tests.faults.fault_table import LATE, PATIENCE
from tests.histories.recorder import Recorder, ending
from tests.histories.scenes import response, step
from tests.sandbox.arm_server import SPEED, Server, until
from tests.unit.actions.deploy_model.test_rollout_exhaustive import ORCHESTRATION

TEMPLATE = "instance_type: Standard_DS3_v2\ninstance_count: 1\n"
CONNECTIONS = {"factory": {"type": "data_factory", "id": FACTORY_ID}}
PATIENT = {"attempts": 5, "first": 5.0, "max": 60.0}
ROLLOUT = {"smoke_test": {"request": {"input_data": [[1]]}}, "steps": [{"percent": 10, "for": "1m"}]}
STEPS: dict[str, dict[str, Any]] = {
    "pipeline": {
        "uses": "run_data_factory_pipeline",
        "with": {"connection": "factory", "pipeline": "retrain", "wait": True},
    },
    "job": {"uses": "run_ml_pipeline", "with": {"component": "retrain:1", "wait": True}},
    "batch": {"uses": "run_ml_pipeline", "with": {"batch_endpoint": "retrain-batch", "wait": True}},
    "deployment": {
        "uses": "deploy_model",
        "with": {"template": "small.yaml", "rollout": ROLLOUT},
        "orchestration": ORCHESTRATION.to_json(),
    },
}
"""One step of each kind that calls Azure."""
NUMBERS = count(1)


@dataclass
class Run:
    """How a response ended, and what was left: `started` are the runs and jobs that it started."""

    end: str
    because: str
    calls: int
    activities: int
    started: int
    traffic: dict[str, int]
    entities: dict[str, Any]


class AzureRun:
    """Runs responses against one server; each has an event, a model and an endpoint of its own."""

    def __init__(self, server: Server, services: Services) -> None:
        self.server, self.settings, self.name = server, services.settings, ""
        self.performed = 0
        self.unfinished = 0.0

    def run(
        self, kind: str, fault: Mapping[str, Any] | None = None, skip: int = 0, twice: Container[int] = ()
    ) -> Run:
        """The response with this step; the call after `skip` calls of Azure meets the fault.

        The activities with these numbers, counted from 1, are executed twice.
        """
        self._prepare(kind)
        entries, before = self.server.manager.journal.entries, self._count_started()
        if fault:
            asked = self.server.fault(match=".*", skip=skip, **fault)
            assert asked.status_code == 201, asked.text
        entries.clear()
        self.performed = 0
        recorder = Recorder(lambda call: self._perform(call, twice), self._advance)
        done = recorder.run(RESPOND_TO_EVENT, f"rule-1.{self.name}", self._text(kind))
        calls = len(entries)
        self.server.call("DELETE", "/_sandbox/faults")
        said = json.loads(done.result.value)
        known = said if isinstance(said, dict) else json.loads(said)
        started = self._count_started() - before
        traffic = self._traffic() if kind == "deployment" else {}
        because = str(known.get("because"))
        return Run(ending(done), because, calls, self.performed, started, traffic, recorder.entities)

    def _prepare(self, kind: str) -> None:
        self.server.call("DELETE", "/_sandbox/faults")
        self.name = f"net-{next(NUMBERS)}"
        for version in ("1", "2"):
            body = {"properties": {"modelUri": "azureml://x", "modelType": "mlflow_model"}}
            self.server.call("PUT", f"models/{self.name}/versions/{version}", json=body)
        if kind == "deployment":
            self._serve_first_version()

    def _serve_first_version(self) -> None:
        """The endpoint, with all traffic on a deployment of version 1."""
        endpoint, first = f"onlineEndpoints/{self.name}", f"{self.name}-1"
        place = {"location": "westeurope"}
        self._put(endpoint, {**place, "properties": {"authMode": "Key"}})
        model = f"{self.server.manager.workspace_id}/models/{self.name}/versions/1"
        tags = {"mlevents.response": "earlier", "mlevents.model": f"{self.name}:1"}
        properties = {"endpointComputeType": "Managed", "model": model, "instanceType": "Standard_DS3_v2"}
        sku = {"name": "Default", "capacity": 1}
        written = {**place, "tags": tags, "sku": sku, "properties": properties}
        self._put(f"{endpoint}/deployments/{first}", written)
        self._put(endpoint, {**place, "properties": {"authMode": "Key", "traffic": {first: 100}}})

    def _put(self, path: str, body: dict[str, Any]) -> None:
        answer = self.server.call("PUT", path, json=body)
        assert answer.status_code in (200, 201), answer.text
        until(lambda: self._read(path)["properties"]["provisioningState"] == "Succeeded")

    def _read(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.server.call("GET", path).json()
        return found

    def _traffic(self) -> dict[str, int]:
        path = f"onlineEndpoints/{self.name}"
        until(lambda: self._read(path)["properties"]["provisioningState"] == "Succeeded")
        traffic = self._read(path)["properties"]["traffic"]
        return {one.removeprefix(f"{self.name}-"): share for one, share in traffic.items() if share}

    def _count_started(self) -> int:
        """How many runs of Data Factory and jobs of Azure ML there are."""
        manager = self.server.manager
        return len(list(manager.data_factory._runs.all())) + len(manager.machine_learning._jobs._jobs)

    def _text(self, kind: str) -> str:
        written = step("one", **STEPS[kind], retry=PATIENT)
        event = {
            "id": f"event-{self.name}",
            "type": "model.registered",
            "kinds": ["model.registered"],
            "time": None,
            "subject": f"models/{self.name}:2",
            "topic": self.server.manager.workspace_id,
            "names": {"model": {"name": self.name, "version": "2", "tags": {}, "properties": {}}},
        }
        more = {"files": {"small.yaml": TEMPLATE}, "connections": CONNECTIONS, "id": f"rule-1.{self.name}"}
        return response(written, event=event, **more)

    def _perform(self, asked: dict[str, Any], twice: Container[int]) -> dict[str, Any]:
        if asked["step"]["uses"] == "notify":
            return {"kind": "done", "detail": "notified", "result": {}}
        self.performed += 1
        call = Call.from_json(asked)
        if self.performed in twice:
            attempt_call(call, self.settings)
        began = time.monotonic()
        answer = attempt_call(call, self.settings).to_json()
        if time.monotonic() - began > PATIENCE:
            self.unfinished = LATE
        return answer

    def _advance(self, seconds: float) -> None:
        """Wait at Azure's speed; before a retry, Azure does the work whose answer nobody waited for."""
        time.sleep(max(self.unfinished, min(seconds, 120.0) / SPEED))
        self.unfinished = 0.0
