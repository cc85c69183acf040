"""The sandbox's task hub with a real durable client, and no worker: what is started stays pending."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, override

import azure.durable_functions as df
import durabletask.internal.orchestrator_service_pb2 as pb

from mlevents.events import Event
from mlevents.orchestration.function_names import RESPOND_TO_EVENT
from mlevents.orchestration.messages import Response
from mlevents.orchestration.step_plan import RetryPlan, StepPlan
from sandbox.durable.hub import DurableHub
from sandbox.pace import Pace

WORKSPACE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class CountingHub(DurableHub):
    """A task hub that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(Pace())
        self.asked: list[str] = []

    @override
    def QueryInstances(self, request: Any, context: Any) -> Any:
        self.asked.append("QueryInstances")
        return super().QueryInstances(request, context)

    @override
    def GetInstance(self, request: Any, context: Any) -> Any:
        self.asked.append("GetInstance")
        return super().GetInstance(request, context)

    @override
    def GetEntity(self, request: Any, context: Any) -> Any:
        self.asked.append("GetEntity")
        return super().GetEntity(request, context)

    @override
    def StartInstance(self, request: Any, context: Any) -> Any:
        self.asked.append("StartInstance")
        return super().StartInstance(request, context)


class Hub:
    """A task hub to be filled, and what it was asked."""

    def __init__(self) -> None:
        self.hub = CountingHub()
        self.hub.start()
        self.asked = self.hub.asked
        self.client = df.DurableFunctionsClient(self.hub.client("http://127.0.0.1:1"))

    async def start(self, response: Response, name: str = RESPOND_TO_EVENT, **more: Any) -> None:
        text = json.dumps({**response.to_json(), **more})
        await self.client.schedule_new_orchestration(name, input=text, instance_id=response.id)

    def set(self, instance_id: str, status: str, **changes: Any) -> None:
        """Let the instance be in another state: `status` such as COMPLETED, `custom_status`, `output` …"""
        instance = self.hub._instances[instance_id]
        instance.status = getattr(pb, f"ORCHESTRATION_STATUS_{status}")
        for key, value in changes.items():
            text = key in ("custom_status", "output") and not isinstance(value, str)
            setattr(instance, key, json.dumps(value) if text else value)

    def age(self, instance_id: str, minutes: float) -> None:
        instance = self.hub._instances[instance_id]
        instance.created_at = instance.last_updated_at = NOW - timedelta(minutes=minutes)


def on_hub[T](test: Callable[[Hub], Awaitable[T]]) -> T:
    """Run a test on a hub of its own."""

    async def running() -> T:
        hub = Hub()
        try:
            return await test(hub)
        finally:
            await hub.client.close()
            hub.hub.stop(grace=0)

    return asyncio.run(running())


def response(number: int = 1, rule: str = "deploy", **changes: Any) -> Response:
    event = Event(
        id=f"e{number}",
        type="model.registered",
        kinds=("model.registered",),
        time="2026-01-01T00:00:00Z",
        subject=f"models/net:{number}",
        topic=WORKSPACE,
        names={"model": {"name": "net", "version": str(number), "tags": {"note": "x"}}},
    )
    steps = (
        StepPlan("deploy", "deploy_model", RetryPlan(1, 1, 1)),
        StepPlan("say", "notify", RetryPlan(1, 1, 1)),
    )
    return Response(**{"id": f"{rule}.{number:04}", "rule": rule, "event": event, "steps": steps, **changes})
