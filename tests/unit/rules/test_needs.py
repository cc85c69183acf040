"""What rules need in Azure: each right at the resource where the step acts."""

from pathlib import Path

from mlevents.rules.file import load_rules_text
from mlevents.rules.needs import list_required_permissions
from mlevents.services.services import Services
from mlevents.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PROVIDER = "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices"
DEV, PROD, MODELS = (
    f"{PROVIDER}/workspaces/dev",
    f"{PROVIDER}/workspaces/prod",
    f"{PROVIDER}/registries/models",
)
RULES = f"""\
version: 1
workspaces: {{dev: {DEV}}}
connections:
  models: {{type: ml_registry, id: {MODELS}}}
  prod: {{type: ml_workspace, id: {PROD}}}
rules:
  - id: promote
    event: model.registered
    where: {{model: {{name: fraud}}}}
    do:
"""
SHARE = "      - {uses: share_model, id: share, with: {registry: models%s}}\n"
DEPLOY = """\
      - uses: deploy_model
        with: {%s, endpoint: fraud, template: deployments/small.yaml}
"""
THERE = 'workspace: prod, model: "${steps.share.model}"'


def rights(steps: str) -> dict[str, set[str]]:
    """The actions by resource, without their provider and type."""
    settings = Settings()
    rules = load_rules_text(RULES + steps, ROOT / "rules.yaml", settings)
    found = list_required_permissions(rules, Services(settings, rules.connections))
    return {one.resource: {name.split("/", 2)[2] for name in one.actions} for one in found}


def test_a_copy_needs_to_read_here_and_to_write_in_the_registry() -> None:
    assert rights(SHARE % "") == {
        DEV: {"read", "models/read", "models/versions/read"},
        MODELS: {"read", "assets/read", "assets/write"},
    }


def test_a_copy_in_a_workspace_needs_to_write_models_there() -> None:
    found = rights(SHARE % ", workspace: prod")
    assert {"models/write", "models/versions/write"} <= found[PROD]
    assert "models/versions/write" not in found[DEV]


def test_a_deployment_in_another_workspace_needs_its_rights_there_and_none_here() -> None:
    found = rights(SHARE % "" + DEPLOY % THERE)
    assert {"onlineEndpoints/write", "onlineEndpoints/deployments/write"} <= found[PROD]
    assert found[DEV] == {"read", "models/read", "models/versions/read"}


def test_a_deployment_of_a_registry_s_model_needs_to_read_the_registry() -> None:
    model = 'model: "azureml://registries/models/models/fraud/versions/3"'
    assert rights(DEPLOY % model)[MODELS] == {"read", "assets/read"}
    assert MODELS not in rights(DEPLOY % "endpoints: [fraud]")
