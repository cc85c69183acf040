"""docs/architecture.md: an event, a rule file and a rollout go the way that its tables show."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import groupby
from types import FrameType
from typing import Any

import azure.functions as func
import pytest

from mlevents import register
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.handlers import app_state
from mlevents.orchestration.function_names import PERFORM_STEP, RESPOND_TO_EVENT
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.settings import Settings
from tests.histories import recorder
from tests.histories.recorder import Recorder
from tests.sandbox.arm_server import services_of, serving
from tests.sandbox.call_trace import ROOT, Call, CallTrace, tracing
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.durable_stand_in import Hub as TaskHub
from tests.unit.actions.deploy_model.test_rollout_exhaustive import call, world
from tests.unit.handlers.task_hub import Hub, on_hub
from tests.unit.markdown_page import names
from tests.unit.test_architecture import ARCHITECTURE, PRODUCT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs

LAYERS = PRODUCT
DRIVER = "mlevents.orchestration.interruption"
RULES = """
version: 1
workspaces: {{prod: {workspace}}}
rules:
  - id: deploy
    event: model.registered
    order: {{key: "${{model.name}}", by: "${{model.version}}"}}
    do: [{{uses: deploy_model, with: {{endpoint: net-way, template: small.yaml}}}}]
"""
TEMPLATE = """
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
instance_type: Standard_DS3_v2
instance_count: 1
environment: azureml:inference@latest
"""
ENVIRONMENT = {
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000",
    "COMMUNICATION_ENDPOINT": "https://mail.example.com",
    "TEAMS_WORKFLOW_URL": "https://teams.example.com/hook",
}
EVENT = {
    "id": "e1",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "subject": "models/net:1",
    "eventTime": "2026-01-01T00:00:00Z",
    "dataVersion": "2",
    "data": {"modelName": "net", "modelVersion": "1", "modelTags": {}},
}


def documented(heading: str) -> list[Call]:
    (table,) = ARCHITECTURE.tables[heading]
    return [(names(row)[0], names(row)[1]) for row in table[1:]]


def headings() -> dict[str, str]:
    """The parts of the way of one event, by the name of the function that begins them."""
    return {found[1]: title for title in ARCHITECTURE.tables if (found := re.search(r": `(\w+)`$", title))}


def in_order(wanted: Sequence[Call], calls: Sequence[Call]) -> list[Call]:
    """Those wanted that are called after the ones before them."""
    left = iter(calls)
    return [one for one in wanted if one in left]


def package_of(called: Call) -> str:
    parts = called[0].split(".")
    return parts[1] if parts[0] == "mlevents" else parts[0]


def packages(calls: Sequence[Call]) -> list[str]:
    """The packages on a call stack; `DRIVER` runs orchestrator code as the durable library does, below it."""
    own = [call for call in calls if call[0] != DRIVER]
    return [package for package, _ in groupby(map(package_of, own))]


def layer_of(package: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if package in layer)


def leaves(frame: FrameType) -> str | None:
    """The calls by which a part of the way ends: durable ones, and writes of Azure."""
    name, file = frame.f_code.co_name, frame.f_code.co_filename
    if name in ("schedule_new_orchestration", "call_sub_orchestrator", "call_activity"):
        return name
    if name == "send" and file.endswith("azure/core/pipeline/transport/_requests_basic.py"):
        request = frame.f_locals["request"]
        return "write" if request.method != "GET" and "/onlineEndpoints/" in request.url else None
    return None


@cache
def app_functions() -> dict[str, Callable[..., Any]]:
    """What the Functions host calls, by name, as `handlers` wrote it."""
    found = {
        str(one.get_function_name()): one.get_user_function()
        for one in register(func.FunctionApp()).get_functions()
    }
    inner = ("client_function", "orchestrator_function")
    return {
        name: next((getattr(one, key) for key in inner if hasattr(one, key)), one)
        for name, one in found.items()
    }


class TracedApp:
    """The app's functions in this process, each call of them traced, for one event of a real delivery."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.functions = app_functions()
        self.traces: dict[str, CallTrace] = {}

    def carry(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """Deliver the event, then run its response to its end; gives the outcome's status."""
        instance, text = on_hub(self._deliver)
        run_turn = recorder.turn
        for name in recorder.ORCHESTRATORS:
            monkeypatch.setitem(recorder.ORCHESTRATORS, name, self.functions[name])
        by_function = {function: name for name, function in recorder.ORCHESTRATORS.items()}

        def turn(orchestrator: Callable[..., Any], *more: Any) -> Any:
            with self._tracing(by_function[orchestrator]):
                return run_turn(orchestrator, *more)

        monkeypatch.setattr(recorder, "turn", turn)
        responses = Recorder(self._perform)
        self.hub = TaskHub(responses.entities)
        done = responses.run(RESPOND_TO_EVENT, instance, text)
        return str(json.loads(done.result.value)["status"])

    async def _deliver(self, hub: Hub) -> tuple[str, str]:
        with self._tracing("ModelRegistered"):
            await self.functions["ModelRegistered"](self.text, hub.client)
        (instance,) = hub.hub._instances.values()
        return instance.instance_id, json.loads(instance.input or "")

    def _perform(self, asked: dict[str, Any]) -> dict[str, Any]:
        with self._tracing(PERFORM_STEP):
            said = self.functions[PERFORM_STEP](json.dumps(asked), client=self.hub)
        time.sleep(0.02)  # Azure goes on meanwhile
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _tracing(self, name: str) -> Any:
        return tracing(leaves, self.traces.setdefault(name, CallTrace()))


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, CallTrace]]:
    folder = tmp_path_factory.mktemp("app")
    with serving(folder) as server, pytest.MonkeyPatch.context() as patch, services_of(server, patch):
        workspace = server.manager.workspace_id
        model = {"properties": {"modelUri": "azureml://x", "modelType": "mlflow_model"}}
        server.call("PUT", "models/net/versions/1", json=model)
        (folder / "rules.yaml").write_text(RULES.format(workspace=workspace))
        (folder / "small.yaml").write_text(TEMPLATE)
        patch.setenv("MLEVENTS_RULES", str(folder / "rules.yaml"))
        patch.setenv("MLEVENTS_RESOURCE_MANAGER", server.manager.base_url)
        forget_rules()
        app_state.rules()  # loaded once a process, so no part of the way
        app = TracedApp(json.dumps({**EVENT, "topic": workspace}))
        assert app.carry(patch) == "done"
        yield app.traces
    forget_rules()


def forget_rules() -> None:
    app_state.settings.cache_clear()
    app_state.load_rules_once.cache_clear()


def test_an_event_goes_the_way_of_the_tables_and_crosses_each_layer_once(
    traces: dict[str, CallTrace],
) -> None:
    assert set(headings()) == set(traces)
    for name, heading in headings().items():
        trace, wanted = traces[name], documented(heading)
        assert in_order(wanted, trace.calls) == wanted, heading
        assert trace.exits, f"{heading} ends with a durable call or a write"
        for what, stack in trace.exits:
            crossed = packages(stack)
            layers = list(map(layer_of, crossed))
            assert layers == sorted(set(layers)), f"{what} of {heading} crosses a layer twice: {crossed}"
        last = [one for one in wanted if any(one in stack for _, stack in trace.exits)]
        assert packages(last) in [packages(stack) for _, stack in trace.exits], heading


def test_the_write_is_azures(traces: dict[str, CallTrace]) -> None:
    assert {what for what, _ in traces[PERFORM_STEP].exits} == {"write"}
    assert {packages(stack)[-1] for _, stack in traces[PERFORM_STEP].exits} == {"services"}


def test_a_rule_file_goes_the_way_of_the_table() -> None:
    trace = CallTrace()
    with tracing(lambda _: None, trace):
        assert load_and_test_rules(ROOT / "rules.yaml", Settings(environment=ENVIRONMENT)).tests
    wanted = documented("The way of one rule file")
    assert in_order(wanted, trace.first_calls()) == wanted


def test_a_rollout_that_fails_goes_the_way_of_the_table() -> None:
    trace = CallTrace()
    with tracing(lambda _: None, trace):
        answer = json.loads(Durable(world("bad at 50 %")).run(roll_out_model, call()))
    assert answer["kind"] == "failed"
    wanted = documented("The way of one rollout")
    assert in_order(wanted, trace.first_calls()) == wanted
