"""`deploy_model` with the real azure-ai-ml over TLS, against Resource Manager on a bad day."""

import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done, StepContext
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.errors import PermanentError, TransientError
from mlevents.events import Event
from mlevents.services.machine_learning.states import NewEndpoint
from mlevents.services.services import Services
from sandbox.sandbox_process import ROOT
from tests.sandbox.arm_server import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs

COURSE = ("locate", "ensure_endpoint", "create_deployment", "follow_deployment", "shift_traffic")
ACTION = DeployModel(template="small.yaml")
TEMPLATE = """
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
instance_type: Standard_DS3_v2
instance_count: 1
environment: azureml:inference@latest
request_settings: {request_timeout_ms: 6000}
tags: {team: risk}
"""
SPEED = 6000
FILES = {"small.yaml": TEMPLATE}
FRESH = """
import sys
from mlevents.services.services import Services
from mlevents.settings import Settings
from tests.sandbox.test_deploy_model_against_arm import FILES, deploy, step_about
address, topic, model = sys.argv[1:]
services = Services(Settings(resource_manager=address), files=FILES)
deploy(step_about(topic, model, "1"), services)
workspace = services.machine_learning(topic)
assert workspace.model_tags(model, "1") == {} and workspace.runs.find_details("none") is None
assert workspace.location() == "westeurope" and not workspace.is_private()
print(*sys.modules)
"""


def context(server: Server, model: str, version: str = "1") -> StepContext:
    """A step about a model that is registered."""
    body = {"properties": {"modelUri": "azureml://x", "modelType": "mlflow_model"}}
    server.call("PUT", f"models/{model}/versions/{version}", json=body)
    return step_about(server.manager.workspace_id.replace("resourceGroups", "resourcegroups"), model, version)


def step_about(topic: str, model: str, version: str) -> StepContext:
    names = {"model": {"name": model, "version": version}}
    event = Event("e1", "model.registered", ("model.registered",), None, "s", topic, names)
    return StepContext("rule-1.abc", "rule-1", "deploy", "mlevents-k", event, names)


def carry(verb: str, at: StepContext, services: Services, action: DeployModel = ACTION) -> Done:
    """A verb to its end; what passes is tried again, as on Azure."""
    for _ in range(200):
        try:
            outcome = getattr(action, verb)(at, services)
        except TransientError:
            outcome = None
        if isinstance(outcome, Done):
            return outcome
        if outcome is not None:
            at = replace(at, progress=outcome.progress)
        time.sleep(0.02)
    raise AssertionError(f"{verb} does not come to an end")


def deploy(at: StepContext, services: Services) -> dict[str, Any]:
    progress: dict[str, Any] = {}
    for verb in COURSE:
        progress |= carry(verb, replace(at, progress=progress), services).result
    return progress


def resource(server: Server, path: str) -> dict[str, Any]:
    found: dict[str, Any] = server.call("GET", f"onlineEndpoints/{path}").json()
    return found


def writes(server: Server, part: str) -> list[tuple[str, str]]:
    return [
        (entry.method, entry.path.rpartition("onlineEndpoints/")[2])
        for entry in server.manager.journal.entries
        if entry.method != "GET" and part in entry.path and "/models/" not in entry.path
    ]


def test_a_model_gets_an_endpoint_a_deployment_and_all_traffic(server: Server, services: Services) -> None:
    result = deploy(context(server, "net-a"), services)
    found = resource(server, "net-a/deployments/net-a-1")
    assert resource(server, "net-a")["properties"]["traffic"] == {"net-a-1": 100}
    assert found["properties"]["provisioningState"] == "Succeeded"
    assert found["properties"]["model"] == f"{server.manager.workspace_id}/models/net-a/versions/1"
    assert found["properties"]["environmentId"].endswith("/environments/inference/versions/1")
    assert found["tags"] == {
        "team": "risk",
        "mlevents.event": "e1",
        "mlevents.rule": "rule-1",
        "mlevents.response": "rule-1.abc",
        "mlevents.depth": "1",
        "mlevents.model": "net-a:1",
    }
    assert result["scoring_uri"] == f"{server.manager.base_url}/inference/net-a/score"


def test_deploying_and_reading_do_not_import_azure_ai_ml(server: Server, services: Services) -> None:
    topic = context(server, "net-fresh").event.topic
    words = [sys.executable, "-c", FRESH, server.manager.base_url, topic, "net-fresh"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert resource(server, "net-fresh")["properties"]["traffic"] == {"net-fresh-1": 100}, done.stderr
    imported = done.stdout.split()
    assert "azure.identity" in imported
    assert "azure.ai.ml" not in imported


def test_the_lines_of_a_log_keep_their_indent(server: Server, services: Services) -> None:
    content = 'Traceback:\n  File "score.py"\n\traise  Key\n\n'
    server.fault(match="POST .*/getLogs", body={"content": content}, status=200)
    found = services.machine_learning(server.manager.workspace_id).endpoints.log("e", "d", 10)
    assert found == ("Traceback:", '  File "score.py"', "    raise Key", "")


def test_no_thread_keeps_polling(server: Server, services: Services) -> None:
    before = {thread.name for thread in threading.enumerate()}
    deploy(context(server, "net-b"), services)
    assert {thread.name for thread in threading.enumerate()} <= before
    polled = [entry.path for entry in server.manager.journal.entries if "mfeOperations" in entry.path]
    assert polled == []


def test_deploying_again_writes_nothing(server: Server, services: Services) -> None:
    deploy(context(server, "net-c"), services)
    first = writes(server, "/net-c")
    deploy(context(server, "net-c"), services)
    assert writes(server, "/net-c") == first
    assert first == [("PUT", "net-c"), ("PUT", "net-c/deployments/net-c-1"), ("PUT", "net-c")]


def test_moving_traffic_keeps_everything_else_of_the_endpoint(server: Server, services: Services) -> None:
    at = context(server, "net-d")
    body = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "tags": {"owner": "somebody"},
        "properties": {"authMode": "AADToken", "description": "ours", "publicNetworkAccess": "Disabled"},
    }
    server.call("PUT", "onlineEndpoints/net-d", json=body)
    deploy(at, services)
    found = resource(server, "net-d")
    assert found["tags"] == {"owner": "somebody"}
    assert {name: found["properties"][name] for name in body["properties"]} == body["properties"]
    assert found["identity"]["type"] == "SystemAssigned"


def test_moving_traffic_loses_nothing_that_others_wrote(server: Server, services: Services) -> None:
    group = server.manager.workspace_id.split("/providers")[0]
    identity = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one"
    body = {
        "location": "westeurope",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
        "tags": {"owner": "somebody", "Team.Dotted": "risk"},
        "properties": {
            "authMode": "Key",
            "description": "theirs",
            "publicNetworkAccess": "Disabled",
            "properties": {"their.key": "their value"},
        },
    }
    server.call("PUT", "onlineEndpoints/net-kept", json=body)
    at = context(server, "net-kept")
    carry("ensure_endpoint", at, services)
    before = resource(server, "net-kept")
    deploy(at, services)
    after = resource(server, "net-kept")
    assert after["properties"]["traffic"] == {"net-kept-1": 100}
    moving = {"traffic", "provisioningState", "properties"}
    for name in before.keys() - {"properties", "systemData"}:
        assert after[name] == before[name], name
    for name in before["properties"].keys() - moving:
        assert after["properties"][name] == before["properties"][name], name
    assert after["properties"]["properties"]["their.key"] == "their value"


def test_a_404_for_an_endpoint_that_is_there_creates_nothing_over_it(
    server: Server, services: Services
) -> None:
    deploy(context(server, "net-hid"), services)
    first = writes(server, "/net-hid")
    for match in ("GET .*/onlineEndpoints/net-hid$", "GET .*/net-hid/deployments/net-hid-1$"):
        server.fault(match=match, status=404, times=2)
    assert deploy(context(server, "net-hid"), services)["traffic"] == {"net-hid-1": 100}
    assert writes(server, "/net-hid") == first


def test_the_way_back_waits_for_an_old_deployment_that_changes(server: Server, services: Services) -> None:
    deploy(context(server, "net-back"), services)
    newer = context(server, "net-back", "2")
    progress = deploy(newer, services)
    assert progress["traffic"] == {"net-back-2": 100}
    server.call("PATCH", "onlineEndpoints/net-back/deployments/net-back-1", json={"tags": {"scaled": "yes"}})
    said = carry("restore_traffic", replace(newer, progress=progress), services).detail
    assert said == "the traffic of 'net-back' is net-back-1 100 %"
    assert resource(server, "net-back")["properties"]["traffic"] == {"net-back-1": 100}


def test_azure_says_whether_a_put_created_the_endpoint(server: Server, services: Services) -> None:
    endpoints = services.machine_learning(server.manager.workspace_id).endpoints
    assert endpoints.put_endpoint(NewEndpoint("net-put")) is True
    until_ready(server, "net-put")
    assert endpoints.put_endpoint(NewEndpoint("net-put")) is False
    assert "net-put" in endpoints.names()


def until_ready(server: Server, name: str) -> None:
    for _ in range(200):
        if resource(server, name)["properties"]["provisioningState"] == "Succeeded":
            return
        time.sleep(0.02)


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "headers": {"Retry-After": "1"}}, {"status": 503}, {"status": 409}, {"drop": True}],
    ids=["429", "503", "409", "drop"],
)
@pytest.mark.parametrize(
    "what", ["PUT .*/onlineEndpoints/net-e-{n}$", "GET .*/net-e-{n}", "PUT .*/net-e-{n}/deployments"]
)
def test_what_passes_is_tried_again(
    server: Server, services: Services, what: str, fault: dict[str, Any]
) -> None:
    number = len(server.manager.journal.entries)
    server.fault(match=what.format(n=number), times=2, **fault)
    assert deploy(context(server, f"net-e-{number}"), services)["traffic"] == {f"net-e-{number}-1": 100}


def test_a_deployment_that_fails_is_told_to_whom_may_read_why_and_the_old_one_keeps_serving(
    server: Server, services: Services
) -> None:
    deploy(context(server, "net-f"), services)
    server.fault(
        match="PUT .*/net-f/deployments/net-f-2", fail_operation={"code": "OutOfQuota", "message": "no cores"}
    )
    with pytest.raises(
        PermanentError, match=r"'net-f-2' of endpoint 'net-f' is Failed: the reason cannot be read .*"
    ):
        deploy(context(server, "net-f", "2"), services)
    assert resource(server, "net-f")["properties"]["traffic"] == {"net-f-1": 100}
    allow(server, "Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read")
    with pytest.raises(PermanentError, match="'net-f-2' of endpoint 'net-f' is Failed: OutOfQuota: no cores"):
        carry("follow_deployment", context(server, "net-f", "2"), services)
    server.call("DELETE", "/_sandbox/permissions")
    assert deploy(context(server, "net-f", "2"), services)["before"] == {"net-f-1": 100}


def allow(server: Server, action: str) -> None:
    """Give the app one action on the subscription, with what it has."""
    mine = server.manager.rights.app_rights()
    place = server.manager.workspace_id.partition("/resourceGroups")[0]
    actions = [action, *(one for each in mine for one in each.actions)]
    body = {"permissions": [{"actions": actions}], "scope": place}
    assert server.call("POST", "/_sandbox/permissions", json=body).status_code == 204


def test_a_reason_that_may_not_be_read_is_said_and_is_no_error(server: Server, services: Services) -> None:
    server.fault(match="PUT .*/net-g/deployments/.*", fail_operation={"code": "OutOfQuota"})
    with pytest.raises(
        PermanentError, match=r"is Failed: the reason cannot be read .*403 AuthorizationFailed"
    ):
        deploy(context(server, "net-g"), services)


def test_the_old_traffic_is_restored_exactly(server: Server, services: Services) -> None:
    deploy(context(server, "net-h"), services)
    at = context(server, "net-h", "2")
    progress = deploy(at, services)
    assert resource(server, "net-h")["properties"]["traffic"] == {"net-h-2": 100}
    for _ in range(2):
        carry("restore_traffic", replace(at, progress=progress), services)
        assert resource(server, "net-h")["properties"]["traffic"] == {"net-h-1": 100}


def test_a_model_that_does_not_exist_is_a_permanent_error(server: Server, services: Services) -> None:
    names = {"model": {"name": "nobodys", "version": "1"}}
    with pytest.raises(PermanentError, match="nobodys"):
        deploy(replace(context(server, "net-i"), names=names), services)


def test_an_endpoint_can_be_tidied_up(server: Server, services: Services) -> None:
    deploy(context(server, "net-j"), services)
    endpoints = services.machine_learning(server.manager.workspace_id).endpoints
    with pytest.raises(PermanentError, match="receiving traffic"):
        endpoints.delete_deployment("net-j", "net-j-1")
    endpoints.set_traffic("net-j", {})
    for _ in range(100):
        try:
            endpoints.delete_deployment("net-j", "net-j-1")
        except TransientError:
            continue
        if endpoints.deployment("net-j", "net-j-1") is None:
            break
        time.sleep(0.02)
    endpoints.delete_deployment("net-j", "net-j-1")
    assert endpoints.deployments("net-j") == ()
