"""`share_model` and `deploy_model` in another workspace: what rules may say."""

from pathlib import Path

import pytest
import yaml

from mlevents.actions.share_model import action
from mlevents.actions.share_model.action import ShareModel
from mlevents.errors import PermanentError, RulesError
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings
from tests.unit.stand_ins import services, step

ROOT = Path(__file__).resolve().parents[3]
PROVIDER = "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices"
REGISTRY = f"{PROVIDER}/registries/models"
RULES = f"""\
version: 1
connections:
  models: {{type: ml_registry, id: {REGISTRY}}}
  prod: {{type: ml_workspace, id: {PROVIDER}/workspaces/prod}}
rules:
  - id: promote
    event: model.registered
    where: {{model: {{name: fraud}}}}
    do:
      - {{uses: share_model, id: share, with: {{registry: models, workspace: prod}}}}
      - uses: deploy_model
        with:
          workspace: prod
          model: "${{steps.share.model}}"
          endpoint: fraud
          template: deployments/small.yaml
"""


def faults(old: str, new: str) -> str:
    assert old in RULES
    with pytest.raises(RulesError) as refused:
        load_rules_text(RULES.replace(old, new, 1), ROOT / "rules.yaml", Settings())
    return str(refused.value)


def test_the_examples_in_the_docstring_are_steps() -> None:
    examples = (action.__doc__ or "").split("```yaml")[1:]
    steps = [yaml.safe_load(one.split("```")[0]) for one in examples]
    assert [one["uses"] for one in steps] == ["share_model", "deploy_model"]
    assert ShareModel.model_validate(steps[0]["with"]).registry == "models"


def test_a_promotion_loads() -> None:
    [rule] = load_rules_text(RULES, ROOT / "rules.yaml", Settings()).rules
    assert [one.uses for one in rule.steps] == ["share_model", "deploy_model"]


@pytest.mark.parametrize("parameter", ["registry: models", "workspace: prod"])
def test_no_event_chooses_a_registry_or_a_workspace(parameter: str) -> None:
    name = parameter.partition(":")[0]
    said = faults(parameter, f'{name}: "${{model.tags.place}}"')
    assert "is an expression: write the name of a connection" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("registry: models", "registry: prod", "use a connection of type ml_registry"),
        ("workspace: prod}", "workspace: models}", "use a connection of type ml_workspace"),
        ("registry: models, ", "", "registry"),
        ('          model: "${steps.share.model}"\n', "", "`workspace` needs `model`"),
        ("workspace: prod}", 'version: "1/2"}', "'1/2' is not valid"),
        (REGISTRY, f"{PROVIDER}/workspaces/models", "is not a registry id: write /subscriptions/<id>"),
        (f"{PROVIDER}/workspaces/prod", REGISTRY, "is not a workspace id: write /subscriptions/<id>"),
    ],
)
def test_what_cannot_work_is_refused_when_the_rules_load(old: str, new: str, said: str) -> None:
    assert said in faults(old, new)


def test_a_step_without_a_model_names_the_parameter() -> None:
    known = services({"models": {"type": "ml_registry", "id": REGISTRY}})
    with pytest.raises(PermanentError, match=r"no model to share: the run\.status_changed event names none"):
        ShareModel(registry="models").perform(step(), known)
    copied = ShareModel(registry="models", model="azureml://registries/models/models/fraud/versions/1")
    with pytest.raises(PermanentError, match="write name:version, of the event's workspace"):
        copied.perform(step(), known)
