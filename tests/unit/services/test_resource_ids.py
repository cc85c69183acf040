"""References to models: of the workspace, of a registry, of another workspace."""

import pytest

from mlevents.errors import PermanentError
from mlevents.services.machine_learning.resource_ids import ModelReference, Workspace
from tests.unit.stand_ins import WORKSPACE

HERE = Workspace.parse(WORKSPACE)
OTHER = WORKSPACE.replace("ml-prod", "ml-dev")
SHARED = "azureml://registries/contoso-models/models/fraud/versions/3"


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("fraud:3", f"{WORKSPACE}/models/fraud/versions/3"),
        (SHARED, SHARED),
        (f"{WORKSPACE}/models/fraud/versions/3", f"{WORKSPACE}/models/fraud/versions/3"),
        (f"azureml:{WORKSPACE}/models/fraud/versions/3", f"{WORKSPACE}/models/fraud/versions/3"),
        (f"{WORKSPACE.upper()}/Models/fraud/versions/3", f"{WORKSPACE}/models/fraud/versions/3"),
    ],
)
def test_a_model_is_named_by_version_or_by_id(text: str, id: str) -> None:
    reference = ModelReference.parse(text)
    assert str(reference) == "fraud:3"
    assert reference.make_id(HERE) == id


def test_a_model_of_another_workspace_cannot_be_used() -> None:
    reference = ModelReference.parse(f"azureml:{OTHER}/models/fraud/versions/3")
    with pytest.raises(PermanentError, match=r"copy the model to a registry \(share_model\)"):
        reference.make_id(HERE)


@pytest.mark.parametrize(
    "text",
    [
        *("fraud", "fraud:", ":3", "", "azureml:", "azureml://registries/r1/models/fraud"),
        *("azureml://registries/r1/environments/e/versions/1", f"{SHARED}/more", f"{SHARED}\n"),
        *("azureml://registries/../models/fraud/versions/3", "/subscriptions/0/models/fraud/versions/3"),
    ],
)
def test_what_names_no_version_of_a_model_is_refused(text: str) -> None:
    with pytest.raises(PermanentError, match="has no model version: write name:version"):
        ModelReference.parse(text)
