"""`share_model` against the sandbox's registry, over TLS and with the rights that the rules need."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done, StepContext
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.actions.deploy_model.preflight import DEPLOYMENT_RIGHTS
from mlevents.actions.share_model.action import ShareModel
from mlevents.actions.share_model.preflight import SHARE_RIGHTS
from mlevents.errors import PermanentError, TransientError
from mlevents.events import Event
from mlevents.services.permission import Permission
from mlevents.services.services import Services
from sandbox.azure.workspace import WORKSPACE_ID
from tests.sandbox.arm_server import REGISTRY_ID, Server
from tests.sandbox.test_deploy_model_against_arm import carry

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs

PROD = WORKSPACE_ID.replace("rg-ml", "rg-prod").replace("ml-prod", "ml-live")
CONNECTIONS: dict[str, dict[str, Any]] = {
    "models": {"type": "ml_registry", "id": REGISTRY_ID},
    "prod": {"type": "ml_workspace", "id": PROD},
}
SHARE = ShareModel(registry="models", tags={"approved": "true"})


FILES = {"small.yaml": "instance_type: Standard_DS3_v2\ninstance_count: 1\n"}
COURSE = ("locate", "ensure_endpoint", "create_deployment", "follow_deployment", "shift_traffic")


@pytest.fixture
def azure(server: Server, services: Services) -> Server:
    """The registry and the other workspace are there, and the app has its rights on both."""
    server.manager.add_registry(REGISTRY_ID)
    server.manager.add_workspace(PROD)
    server.manager.rights.replace("app", PROD, [{"actions": _list_actions("workspace")}])
    return server


@pytest.fixture
def known(services: Services) -> Services:
    return Services(services.settings, CONNECTIONS, FILES)


def context(server: Server, model: str, **tags: str) -> StepContext:
    """A step of the second response of a chain, about a model that is registered."""
    properties = {"modelUri": "azureml://x", "modelType": "mlflow_model", "tags": tags}
    server.call("PUT", f"models/{model}/versions/1", json={"properties": properties})
    names = {"model": {"name": model, "version": "1"}}
    event = Event("e1", "model.registered", ("model.registered",), None, "s", WORKSPACE_ID, names)
    return StepContext("rule-1.abc", "rule-1", "share", "mlevents-k", event, names, depth=2)


def share(at: StepContext, services: Services, action: ShareModel = SHARE) -> Mapping[str, Any]:
    """The step to its end, each attempt twice."""
    last: object = None
    for _ in range(100):
        try:
            action.perform(at, services)
            outcome = last = action.perform(at, services)
        except TransientError as error:
            last = error
            time.sleep(0.02)
            continue
        if isinstance(outcome, Done):
            return outcome.result
        at = replace(at, progress=outcome.progress)
    raise AssertionError(f"the copy does not come to an end: {last}")


def read_copy(server: Server, name: str, version: str = "1") -> Any:
    path = f"/mferp/managementfrontend{REGISTRY_ID}/models/{name}/versions/{version}"
    return server.call("GET", path).json()["properties"]


def test_a_model_is_copied_once_and_carries_its_tags_and_ours(azure: Server, known: Services) -> None:
    at = context(azure, "fraud", team="risk")
    result = share(at, known)
    assert result == {
        "registry": REGISTRY_ID,
        "name": "fraud",
        "version": "1",
        "model": "azureml://registries/contoso-models/models/fraud/versions/1",
        "link": "https://ml.azure.com/registries/contoso-models/models/fraud/version/1",
    }
    tags = read_copy(azure, "fraud")["tags"]
    assert tags["team"] == "risk"
    assert tags["approved"] == "true"
    assert tags["mlevents.response"] == "rule-1.abc"
    assert tags["mlevents.depth"] == "2"
    asked = [one for one in azure.manager.journal.entries if one.path.endswith("/import")]
    assert [one.status for one in asked if one.status < 300] == [202]


def test_another_response_finds_the_copy_and_changes_nothing(azure: Server, known: Services) -> None:
    first = share(context(azure, "churn"), known)
    later = replace(context(azure, "churn"), id="rule-1.later", depth=1)
    assert SHARE.perform(later, known) == Done(SHARE.perform(later, known).detail, first)
    assert read_copy(azure, "churn")["tags"]["mlevents.response"] == "rule-1.abc"


def test_a_version_of_another_model_is_refused_by_name(azure: Server, known: Services) -> None:
    share(context(azure, "first"), known)
    other = ShareModel(registry="models", name="first")
    with pytest.raises(
        PermanentError, match=r"first:1 in registry 'contoso-models' is a copy of .*first/versions/1"
    ):
        share(context(azure, "second"), known, other)
    assert "second" not in read_copy(azure, "first")["tags"]["mlevents.source"]


def test_a_copy_of_another_model_that_came_first_is_never_claimed(azure: Server, known: Services) -> None:
    """Two responses share different models under one name at once: both had found nothing."""
    waiting = replace(context(azure, "slower"), progress={"copying": True})
    other = ShareModel(registry="models", name="contested")
    share(context(azure, "faster"), known, other)
    with pytest.raises(
        PermanentError, match=r"contested:1 in registry 'contoso-models' is a copy of .*/faster/"
    ):
        other.perform(waiting, known)
    assert read_copy(azure, "contested")["tags"]["mlevents.source"].endswith("/models/faster/versions/1")


def test_the_copy_is_registered_in_another_workspace_which_publishes_its_event(
    azure: Server, known: Services
) -> None:
    at = context(azure, "net", team="risk")
    result = share(at, known, ShareModel(registry="models", workspace="prod", version="7"))
    assert result["model"] == f"azureml:{PROD}/models/net/versions/7"
    assert result["workspace"] == PROD
    event = azure.events[-1]
    assert (event["topic"], event["subject"]) == (PROD, "models/net:7")
    assert event["data"]["modelTags"]["mlevents.depth"] == "2"
    made = azure.call("GET", f"{PROD}/models/net/versions/7").json()["properties"]
    assert made["modelUri"] == "azureml://registries/contoso-models/models/net/versions/7"
    assert made["modelType"] == "mlflow_model"


def test_another_model_in_the_workspace_is_refused_by_name(azure: Server, known: Services) -> None:
    body = {"properties": {"modelUri": "azureml://mine", "modelType": "custom_model"}}
    azure.call("PUT", f"{PROD}/models/taken/versions/1", json=body)
    with pytest.raises(PermanentError, match="taken:1 in workspace 'ml-live' was not made by mlevents"):
        share(context(azure, "taken"), known, ShareModel(registry="models", workspace="prod"))
    assert azure.call("GET", f"{PROD}/models/taken/versions/1").json()["properties"]["tags"] == {}


def deploy(at: StepContext, services: Services, action: DeployModel) -> dict[str, Any]:
    progress: dict[str, Any] = {}
    for verb in COURSE:
        progress |= carry(verb, replace(at, progress=progress), services, action).result
    return progress


def test_the_copy_is_deployed_in_another_workspace(azure: Server, known: Services) -> None:
    """Everything of the rollout goes there: endpoint, deployment, traffic, lease and link."""
    at = context(azure, "prime", accuracy="0.9")
    model = share(at, known)["model"]
    action = DeployModel(template="small.yaml", endpoint="prime", model=model, workspace="prod")
    result = deploy(at, known, action)
    assert result["workspace"] == PROD
    assert result["model"] == "prime:1"
    assert result["studio"].endswith(PROD)
    made = azure.call("GET", f"{PROD}/onlineEndpoints/prime/deployments/prime-1").json()
    assert made["properties"]["model"] == model
    assert azure.call("GET", f"{PROD}/onlineEndpoints/prime").json()["properties"]["traffic"] == {
        "prime-1": 100
    }
    assert azure.call("GET", "onlineEndpoints/prime").status_code == 404
    here = carry("locate", at, known, DeployModel(template="small.yaml", endpoint="prime"))
    assert here.result["lock"] != result["lock"]
    serving = carry("report_serving", replace(at, progress={"model_tags": True}), known, action)
    assert serving.result["serving"][0]["tags"]["accuracy"] == "0.9"


def test_a_model_of_another_workspace_is_not_deployed(azure: Server, known: Services) -> None:
    model = f"azureml:{WORKSPACE_ID}/models/fraud/versions/1"
    action = DeployModel(template="small.yaml", endpoint="fraud", model=model, workspace="prod")
    with pytest.raises(PermanentError, match=r"fraud:1 is in the workspace .* copy the model to a registry"):
        carry("locate", context(azure, "fraud"), known, action)


def test_a_deployment_needs_the_right_to_read_the_registry(azure: Server, known: Services) -> None:
    at = context(azure, "guarded")
    model = share(at, known)["model"]
    azure.manager.rights.replace("app", REGISTRY_ID, [{"actions": []}])
    action = DeployModel(template="small.yaml", endpoint="guarded", model=model, workspace="prod")
    with pytest.raises(PermanentError, match="registries/assets/read"):
        deploy(at, known, action)


def test_a_copy_that_fails_says_why(azure: Server, known: Services) -> None:
    """Who may read the operation at the subscription learns the reason; others wait for the model."""
    azure.fault(match="POST .*/import", times=9, fail_operation={"code": "StorageAccessDenied"})
    azure.manager.rights.replace("app", WORKSPACE_ID.partition("/resourceGroups")[0], [{"actions": ["*"]}])
    with pytest.raises(PermanentError, match=r"could not be copied to broken:1 in .*StorageAccessDenied"):
        share(context(azure, "broken"), known)


def test_a_copy_without_a_readable_status_is_given_up_in_the_end(azure: Server, known: Services) -> None:
    azure.fault(match="POST .*/import", times=9, fail_operation={"code": "StorageAccessDenied"})
    with pytest.raises(PermanentError, match="is not there, and no status says why"):
        share(context(azure, "silent"), known)


@pytest.mark.parametrize("missing", ["assets/read", "assets/write", "models/versions/read"])
def test_each_right_is_needed(azure: Server, known: Services, missing: str) -> None:
    at = context(azure, f"right-{missing[-5:].strip('/')}")
    for scope, needs in ((REGISTRY_ID, SHARE_RIGHTS[1]), (WORKSPACE_ID, SHARE_RIGHTS[0])):
        azure.manager.rights.replace("app", scope, [{"actions": _without(needs, missing)}])
    with pytest.raises(PermanentError, match=f"{missing}'"):
        share(at, known)


def _list_actions(parameter: str) -> list[str]:
    """What the app may do in the workspace that a parameter names."""
    needs = (*SHARE_RIGHTS, *DEPLOYMENT_RIGHTS)
    return [action for one in needs if one.connection == parameter for action in one.actions]


def _without(needs: Permission, missing: str) -> list[str]:
    return [one for one in needs.actions if not one.endswith(missing)]


def test_a_registry_that_does_not_exist_is_named(azure: Server, known: Services) -> None:
    id = REGISTRY_ID.replace("contoso", "gone")
    azure.manager.rights.replace("app", id, [{"actions": ["*"]}])
    gone = Services(known.settings, {"models": {"type": "ml_registry", "id": id}})
    with pytest.raises(PermanentError, match=f"the registry {id} does not exist"):
        share(context(azure, "fraud"), gone)
