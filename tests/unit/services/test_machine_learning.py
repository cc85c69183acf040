"""Names, ids and states of Azure Machine Learning, without Azure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import PermanentError
from mlevents.services.machine_learning.resource_ids import Workspace, name_and_version, same_asset
from mlevents.services.machine_learning.states import DeploymentState, EndpointState
from mlevents.services.machine_learning.workspace_client import cloud_arguments

ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ml"
    "/providers/Microsoft.MachineLearningServices/workspaces/ml-prod"
)


def test_a_workspace_id_is_read_whatever_its_casing() -> None:
    assert Workspace.parse(ID).id == ID
    assert Workspace.parse(ID.lower()).name == "ml-prod"
    assert Workspace.parse(ID.upper()).id.lower() == ID.lower()


@pytest.mark.parametrize(
    "text", ["", "ml-prod", ID + "/models/m", ID.replace("workspaces", "registries"), ID + "?x=1", ID + "\n"]
)
def test_another_id_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(PermanentError) as refused:
        Workspace.parse(text)
    assert f"'{text}'" in str(refused.value)


@given(st.text(max_size=80))
def test_parsing_an_id_raises_nothing_else(text: str) -> None:
    with pytest.raises(PermanentError):
        Workspace.parse(text)


@pytest.mark.parametrize(
    ("name", "version"), [("a/b", "1"), ("..", "1"), ("a", "1?x"), ("", "1"), ("a", ""), ("é", "1")]
)
def test_no_name_leads_out_of_the_workspaces_path(name: str, version: str) -> None:
    with pytest.raises(PermanentError):
        Workspace.parse(ID).asset("models", name, version)


def test_assets_compare_as_azure_compares_them() -> None:
    model = Workspace.parse(ID).asset("models", "Net", "1")
    assert same_asset(model, f"{ID.upper()}/MODELS/Net/versions/1")
    assert same_asset(model, f"azureml:{model}")
    assert not same_asset(model, f"{ID}/models/net/versions/1")
    assert not same_asset(model, f"{ID}/models/Net/versions/2")
    assert not same_asset(model, "")


def test_a_reference_is_taken_apart() -> None:
    assert name_and_version("azureml:train:3") == ("train", "3", "")
    assert name_and_version("train@latest") == ("train", "", "latest")
    for text in ("train", "train:", "@latest", "a:b:c", "azureml:/subscriptions/x"):
        with pytest.raises(PermanentError):
            name_and_version(text)


def test_studio_links_quote_what_they_are_given() -> None:
    workspace = Workspace.parse(ID)
    assert workspace.run_link("a/b?c") == f"https://ml.azure.com/runs/a%2Fb%3Fc?wsid={ID}"
    assert workspace.endpoint_link("e") == f"https://ml.azure.com/endpoints/realtime/e/detail?wsid={ID}"


def test_the_sdk_is_told_of_clouds_that_it_does_not_know() -> None:
    assert cloud_arguments("https://management.azure.com") == {"cloud": "AzureCloud"}
    assert cloud_arguments("https://management.usgovcloudapi.net") == {"cloud": "AzureUSGovernment"}
    other = cloud_arguments("https://127.0.0.1:8443")
    assert other["cloud"] == "mlevents-127.0.0.1:8443"
    assert other["cloud_metadata"]["resource_manager"] == "https://127.0.0.1:8443/"


@pytest.mark.parametrize(
    "resource",
    [
        {"name": "e"},
        {"name": "e", "properties": None, "tags": None},
        {"name": "e", "properties": {"traffic": None, "properties": None}},
    ],
)
def test_states_are_read_from_whatever_azure_leaves_out(resource: dict[str, object]) -> None:
    assert EndpointState.read(resource) == EndpointState("e", "")
    assert DeploymentState.read(resource) == DeploymentState("e", "")
