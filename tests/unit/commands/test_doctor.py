"""What `doctor` says without asking Azure: what is needed, what is not set here, what is wrong usage."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.actions.action import action
from mlevents.actions.permissions import permissions
from mlevents.doctor.azure_checks import bind_known_parameters
from mlevents.doctor.resource_checks import check_network
from mlevents.gates.gate import AnyGate, gate
from mlevents.rules.needs import DistinctStep
from mlevents.services import azure_credential
from mlevents.services.connection import connection
from mlevents.services.machine_learning.workspace_resource import WorkspaceResource
from mlevents.services.permission import ML

HEAD = "/subscriptions/s/resourceGroups/g/providers"
FACTORY = f"{HEAD}/Microsoft.DataFactory/factories/adf"
RULES = f"""\
version: 1
workspaces:
  prod: {HEAD}/Microsoft.MachineLearningServices/workspaces/prod
  test: {HEAD}/Microsoft.MachineLearningServices/workspaces/test
connections:
  retraining: {{type: data_factory, id: {FACTORY}}}
  team: {{type: apprise, url: {{setting: HOOK}}}}
rules:
  - id: deploy
    event: model.registered
    where: {{workspace: {{name: prod}}}}
    do: [{{uses: deploy_model, with: {{endpoint: e, template: small.yaml}}}}]
  - id: retrain
    event: drift.detected
    do: [{{uses: run_data_factory_pipeline, with: {{connection: retraining, pipeline: p}}}}]
  - id: asleep
    event: drift.detected
    mode: disabled
    do: [{{uses: run_ml_pipeline, with: {{component: a@latest}}}}]
  - id: tell
    event: run.completed
    do: [{{uses: notify, with: {{to: team, template: run-failed}}}}]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "small.yaml").write_text("instance_type: Standard_DS3_v2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)

    def run(*words: str, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(build_app(), ["doctor", *words], catch_exceptions=False)

    return run


def test_needs_are_said_by_resource_without_asking_azure(run: Callable[..., Result]):
    told = json.loads(run("--needs", "--json", MLEVENTS_RESOURCE_MANAGER="https://127.0.0.1:1").stdout)
    by_resource = {one["resource"].rpartition("/")[2]: one for one in told["resources"]}
    assert set(by_resource) == {"prod", "test", "adf"}
    assert by_resource["test"]["actions"] == [f"{ML}/experiments/runs/read", f"{ML}/read"], (
        "asleep needs none"
    )
    assert by_resource["prod"]["scope"] == "workspace"
    assert f"{ML}/onlineEndpoints/write" in by_resource["prod"]["actions"]
    assert f"{ML}/onlineEndpoints/score/action" not in by_resource["prod"]["actions"], "there is no rollout"
    assert by_resource["adf"]["actions"] == [
        "Microsoft.DataFactory/factories/pipelineruns/read",
        "Microsoft.DataFactory/factories/pipelines/createrun/action",
        "Microsoft.DataFactory/factories/pipelines/read",
        "Microsoft.DataFactory/factories/querypipelineruns/action",
        "Microsoft.DataFactory/factories/querypipelineruns/read",
    ]
    assert set(told["labels"]) == {
        "ModelRegistered",
        "RunCompleted",
        "DatasetDriftDetected",
        "RunStatusChanged",
    }
    assert all(name.startswith("mlevents-filter-") for name in told["labels"].values())
    assert {one["element"] for one in told["elements"]} == {one.element for one in permissions()}


def test_needs_are_shown_to_people(run: Callable[..., Result]):
    lines = run("--needs").stdout.splitlines()
    assert f"data_factory {FACTORY}" in lines
    assert f"  {ML}/onlineEndpoints/write" in lines
    given = "rollout.checks or rollout.min_requests"
    assert f"deploy_model with {given} on its workspace: Monitoring Reader" in lines


def test_every_action_that_calls_azure_says_what_it_needs():
    said = {one.element for one in permissions()}
    assert {"deploy_model", "run_data_factory_pipeline", "run_ml_pipeline"} <= said
    assert said <= {*action.names(), *connection.names(), *gate.names(), "model.tagged"}
    parameters = {name: set(element.model_fields) for name, element in [*action.items(), *connection.items()]}
    for one in permissions():
        if one.element in gate.names():
            given, element = list(one.permission.given), gate.find(one.element)
            listed = (
                element.model_validate(given).permission_parameters if _is_list(element) and given else {}
            )
            assert set(given) <= {*element.model_fields, *listed}
            continue
        assert {name.partition(".")[0] for name in one.permission.given} <= parameters.get(one.element, set())
        assert one.permission.scope in ("workspace", "identity", *connection.names())


def _is_list(element: type[AnyGate]) -> bool:
    return "root" in element.model_fields


def test_an_identity_that_a_step_gives_away_is_a_resource_of_its_own(
    run: Callable[..., Result], tmp_path: Path
):
    identity = f"{HEAD}/Microsoft.ManagedIdentity/userAssignedIdentities/scoring"
    given = f'identity: [{identity}, "${{model.tags.identity}}"]'
    (tmp_path / "rules.yaml").write_text(RULES.replace("endpoint: e,", f"endpoint: e, {given},"))
    told = json.loads(run("--needs", "--json").stdout)
    assert [one for one in told["resources"] if one["scope"] == "identity"] == [
        {
            "scope": "identity",
            "resource": identity,
            "actions": ["Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"],
        }
    ]


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither Azure nor an identity answers."""
    monkeypatch.setenv("MLEVENTS_RESOURCE_MANAGER", "https://127.0.0.1:1")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "header")
    monkeypatch.delenv("HOOK", raising=False)
    monkeypatch.delenv("WEBSITE_HOSTNAME", raising=False)
    azure_credential._credential.cache_clear()
    yield
    azure_credential._credential.cache_clear()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK, at import
@pytest.mark.usefixtures("cut_off")
def test_a_setting_that_is_not_set_here_may_be_set_where_the_app_runs(run: Callable[..., Result]):
    elsewhere = json.loads(run("--json").stdout)["findings"]
    (here,) = [one for one in elsewhere if one["part"] == "connection team"]
    assert (here["ok"], here["said"]) == (
        None,
        "the app setting 'HOOK' is not set; the checks that need it were skipped",
    )
    at_home = run("--json", WEBSITE_HOSTNAME="app.example.com").stdout
    (there,) = [one for one in json.loads(at_home)["findings"] if one["part"] == "connection team"]
    assert (there["ok"], there["said"]) == (False, "the app setting 'HOOK' is not set")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK, at import
@pytest.mark.usefixtures("cut_off")
def test_a_host_file_that_does_not_fit_fails(run: Callable[..., Result], tmp_path: Path):
    def said() -> list[str]:
        findings = json.loads(run("--json").stdout)["findings"]
        return [one["said"] for one in findings if one["part"] == "host.json" and one["ok"] is False]

    assert said() == []  # there is none
    ours = (Path(__file__).resolve().parents[3] / "host.json").read_text()
    (tmp_path / "host.json").write_text(ours)
    assert said() == []
    (tmp_path / "host.json").write_text(ours.replace("CurrentOrOlder", "Strict"))
    (line,) = said()
    assert line.startswith('extensions.durableTask.versionMatchStrategy is "Strict", so ')


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--function-app", "mlevents"], "'mlevents' is not a Function App: give its resource id"),
        (["--rules", "none.yaml"], "none.yaml: this rule file does not exist"),
    ],
)
def test_wrong_usage_is_exit_2(run: Callable[..., Result], words: list[str], said: str):
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {said}")


def test_rules_with_problems_are_not_examined(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules.yaml").write_text("version: 2\n")
    assert run().exit_code == 2


def test_a_parameter_that_must_wait_is_left_out_if_it_can_be():
    step = DistinctStep(
        "deploy_model", {"template": "t.yaml", "endpoint": "e", "auth_mode": "${model.tags.auth}"}
    )
    known, waiting = bind_known_parameters(step)
    assert waiting == ["auth_mode"]
    assert known is not None
    assert known.model_dump()["endpoint"] == "e"
    assert bind_known_parameters(DistinctStep("notify", {"to": {"a": "${x}"}})) == (None, ["to"])


class OneWorkspace:
    """Services of which only a workspace answers."""

    def __init__(self, access: str | None) -> None:
        self.workspace = WorkspaceResource("westeurope", {"publicNetworkAccess": access})

    def machine_learning(self, id: str) -> SimpleNamespace:
        return SimpleNamespace(is_private=lambda: self.workspace.is_private)


@pytest.mark.parametrize(
    ("access", "said"), [("Disabled", True), ("disabled", True), ("Enabled", False), (None, False)]
)
def test_a_private_workspace_is_said_to_be_out_of_sight(access: str | None, said: bool):
    found = list(check_network(OneWorkspace(access), "/id"))  # type: ignore[arg-type]
    assert [(one.about, one.ok) for one in found] == ([("network", None)] if said else [])
    assert all("scoring addresses" in one.said and "peering" in one.remedy for one in found)


def test_needs_says_which_rule_needs_each_role(tmp_path: Path):
    (tmp_path / "small.yaml").write_text("instance_type: Standard_DS3_v2\ninstance_count: 1\n")
    (tmp_path / "rules.yaml").write_text(
        "version: 1\n"
        "rules:\n"
        "  - {id: one, event: model.registered, do: [{uses: deploy_model, with: &it "
        "{endpoint: e, template: small.yaml}}]}\n"
        "  - {id: two, event: model.registered, do: [{uses: deploy_model, with: *it}]}\n"
        "  - {id: off, mode: disabled, event: model.registered, do: [{uses: deploy_model, with: *it}]}\n"
    )
    lines = CliRunner().invoke(build_app(), ["doctor", str(tmp_path / "rules.yaml"), "--needs"]).stdout
    assert "deploy_model on its workspace: Reader\n  needed by one, two\n" in lines
    assert (
        "run_data_factory_pipeline on its data_factory: Data Factory Contributor\n  needed by no rule\n"
        in lines
    )
