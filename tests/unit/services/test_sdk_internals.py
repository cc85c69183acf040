"""Private members of libraries: named in one module each, and there in the installed version."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlevents.errors import PermanentError
from mlevents.services.arm_client import ArmClient
from mlevents.services.chat import apprise_internals
from mlevents.services.machine_learning import sdk_internals
from mlevents.services.machine_learning.data_collection import register_collections
from mlevents.services.machine_learning.deployment_body import deployment_body
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.machine_learning.states import NewDeployment, writable_endpoint
from tests.unit.stand_ins import WORKSPACE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml's own, on import
ROOT = Path(__file__).parents[3] / "mlevents"
MEMBERS = {
    ("azure.ai.ml.entities", "ManagedOnlineDeployment"): sdk_internals.TO_REST_OBJECT,
    ("apprise.plugins.slack", "NotifySlack"): apprise_internals.SEND,
    ("apprise.plugins.opsgenie", "NotifyOpsgenie"): apprise_internals.FETCH,
}


@pytest.mark.parametrize(("place", "member"), MEMBERS.items())
def test_the_installed_sdk_has_each_private_member(place: tuple[str, str], member: str) -> None:
    from importlib import import_module

    module, name = place
    found = getattr(getattr(import_module(module), name), member, None)
    assert callable(found), f"{module}.{name} has no {member} any more: find what replaces it"


def test_an_sdk_without_the_member_is_a_clear_error() -> None:
    with pytest.raises(PermanentError, match=r"has no SimpleNamespace\._to_rest_object: install the version"):
        sdk_internals.rest_body(SimpleNamespace())
    with pytest.raises(PermanentError, match=r"has no SimpleNamespace\._send: install the version"):
        apprise_internals.replace_slack_payload(SimpleNamespace(), dict)


def private_uses(path: Path) -> list[str]:
    """Each private member that a module takes from anything but itself."""
    tree, found = ast.parse(path.read_text()), []
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and is_self(node.value)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            found.append(node.attr)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(
            ("azure", "apprise", "opentelemetry")
        ):
            names = [*str(node.module).split("."), *(one.name for one in node.names)]
            found += filter(is_private, names)
    return found


def is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_no_service_uses_a_private_member_of_its_sdk() -> None:
    modules = [path for folder in ("telemetry", "services") for path in (ROOT / folder).rglob("*.py")]
    uses = {str(path.relative_to(ROOT)): private_uses(path) for path in modules}
    assert {name: found for name, found in uses.items() if found} == {}


def test_a_private_member_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("from azure.ai.ml._x import _y\nclient.online_endpoints._online_operation\nself._own\n")
    assert sorted(private_uses(module)) == ["_online_operation", "_x", "_y"]


@pytest.mark.parametrize("timeout", [6000, "6000"], ids=["translated here", "translated by azure-ai-ml"])
def test_a_document_becomes_the_body_that_resource_manager_expects(timeout: int | str) -> None:
    document = {
        "instance_type": "Standard_DS3_v2",
        "instance_count": 2,
        "environment": "azureml:inference:3",
        "request_settings": {"request_timeout_ms": timeout},
        "environment_variables": {"WORKER_COUNT": 4},
        "tags": {"team": "risk", "year": 2026},
    }
    workspace = Workspace.parse(WORKSPACE)
    wanted = NewDeployment("e", "blue", document, workspace.asset("models", "net", "1"), {"own": "tag"})
    body = deployment_body(ArmClient(""), SimpleNamespace, workspace, wanted)  # type: ignore[arg-type]
    assert body["sku"] == {"name": "Default", "capacity": 2}
    assert body["tags"] == {"team": "risk", "year": "2026", "own": "tag"}
    properties = body["properties"]
    assert properties["environmentVariables"] == {"WORKER_COUNT": "4"}
    assert properties["endpointComputeType"] == "Managed"
    assert properties["environmentId"] == workspace.asset("environments", "inference", "3")
    assert properties["requestSettings"]["requestTimeout"] == "PT6S"
    assert "provisioningState" not in properties


class DataAssets:
    """The data assets of a workspace; registering one that exists is refused, as Azure ML does it."""

    def __init__(self, existing: tuple[str, ...] = ()) -> None:
        self.existing = list(existing)

    def create_or_update(self, data: Any) -> None:
        from azure.core.exceptions import ResourceExistsError

        if data.name in self.existing:
            raise ResourceExistsError(f"{data.name} already exists")
        self.existing.append(data.name)


@pytest.mark.parametrize("existing", [(), ("e-blue-inputs",)])
def test_collected_data_gets_an_asset_for_each_collection(existing: tuple[str, ...]) -> None:
    own = SimpleNamespace(name="mine", version="4", path="azureml://datastores/d/paths/p")
    collections = {"inputs": SimpleNamespace(data=None), "outputs": SimpleNamespace(data=own)}
    deployment = SimpleNamespace(
        name="blue", endpoint_name="e", data_collector=SimpleNamespace(collections=collections)
    )
    assets, workspace = DataAssets(existing), Workspace.parse(WORKSPACE)
    register_collections(SimpleNamespace(data=assets), workspace, deployment)  # type: ignore[arg-type]
    assert sorted(assets.existing) == ["e-blue-inputs", "mine"]
    assert collections["inputs"].data == workspace.asset("data", "e-blue-inputs", "1")
    assert collections["outputs"].data == workspace.asset("data", "mine", "4")


def test_an_endpoint_is_put_again_without_what_only_azure_writes() -> None:
    identity = {
        "type": "UserAssigned",
        "principalId": "p",
        "userAssignedIdentities": {"/i": {"clientId": "c"}},
    }
    resource = {
        "id": "/e",
        "name": "e",
        "type": "t",
        "systemData": {},
        "location": "westeurope",
        "tags": {"a": "b"},
        "identity": identity,
        "properties": {
            "authMode": "Key",
            "scoringUri": "https://x",
            "provisioningState": "Succeeded",
            "new": 1,
        },
    }
    assert writable_endpoint(resource) == {
        "location": "westeurope",
        "tags": {"a": "b"},
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"/i": {}}},
        "properties": {"authMode": "Key", "new": 1},
    }
