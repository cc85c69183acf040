"""`doctor` against a healthy sandbox, and with each thing missing once: exactly that is found."""

import gc
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.eventgrid.subscription_diff import make_label
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.rules.file import load_rules
from mlevents.services import arm_client, azure_credential
from mlevents.services.machine_learning import workspace_client
from mlevents.services.mail import email
from mlevents.settings import Settings
from sandbox.azure.event_subscriptions import APP_ID
from sandbox.azure.identity import OWNER
from sandbox.event_grid.delivery import Subscription
from sandbox.options import ROOT
from sandbox.sandbox_process import Stage
from tests.sandbox.small_sandbox import Small, small, with_its_settings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs

RULES = """\
version: 1
filters: narrow
defaults:
  on_failure: [{uses: notify, with: {to: mlops-mail, template: response-failed}}]
workspaces:
  prod: /subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod
connections:
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
  mlops-email: {type: email, endpoint: {setting: COMMUNICATION_ENDPOINT}, sender: a@example.com, to: [b@example.com]}
  mlops-teams: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
  mlops-mail: {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, sender: a@example.com, to: [b@example.com], username: app, password: {setting: MAIL_SIGN_IN}}
rules:
  - id: deploy
    event: model.registered
    where: {model: {tags: {stage: [production, prod]}}}
    do:
      - {uses: deploy_model, with: {endpoint: fraud, model: "fraud-net:1", template: deployments/small.yaml}}
  - id: retrain
    event: drift.detected
    where: {drift: {generation: v1}}
    do:
      - {uses: run_data_factory_pipeline, with: {connection: retraining, pipeline: retrain, parameters: {monitor: "${drift.monitor}"}}}
      - {uses: run_ml_pipeline, with: {component: retrain@latest, compute: cpu-cluster}}
      - {uses: run_ml_pipeline, with: {batch_endpoint: retrain-batch, deployment: default}}
      - {uses: run_ml_pipeline, with: {job: deployments/retrain.yaml}}
  - id: tell
    event: run.status_changed
    where: {run: {status: failed}}
    do: [{uses: notify, with: {to: [mlops-email, mlops-teams], template: run-failed}}]
"""  # noqa: E501
JOB = """\
type: pipeline
settings: {default_compute: "azureml:cpu-cluster"}
jobs: {train: {type: command, component: "azureml:train:1"}}
"""
CLIENTS = (
    azure_credential._credential,
    email._client,
    workspace_client._open,
    arm_client._pipeline,
)


@dataclass
class Clinic:
    """A sandbox, and a rule file that asks for what is in it."""

    small: Small
    folder: Path
    patch: pytest.MonkeyPatch

    @property
    def subscriptions(self) -> list[Subscription]:
        return self.small.sandbox.event_grid.subscriptions

    def subscription(self, function: str) -> Subscription:
        return next(one for one in self.subscriptions if one.name == function)

    def rules(self, old: str, new: str) -> None:
        """Write something else in the rule file, or in a file beside it."""
        files = [self.folder / "rules.yaml", *(self.folder / "deployments").iterdir()]
        holding = [file for file in files if old in file.read_text()]
        assert holding, f"'{old}' stands nowhere"
        for file in holding:
            file.write_text(file.read_text().replace(old, new))

    def arm(self, method: str, path: str, **body: Any) -> None:
        token = self.small.sandbox.identity.owner_token("https://management.azure.com")
        requests.request(
            method,
            f"{self.small.ready['arm']}{path}",
            params={"api-version": "2018-06-01"},
            headers={"Authorization": f"Bearer {token}"},
            json=body or None,
            verify=self.small.ready["ca"],
            timeout=10,
        ).raise_for_status()

    def fault(self, **fault: Any) -> None:
        requests.post(self.small.ready["faults"], json=fault, timeout=10).raise_for_status()

    def ask(self, *options: str) -> Result:
        line = ["doctor", "--rules", str(self.folder / "rules.yaml"), *options]
        return CliRunner().invoke(build_app(), line, catch_exceptions=False)

    def findings(self, *options: str) -> list[dict[str, Any]]:
        result = self.ask("--json", *options)
        told = json.loads(result.stdout)
        assert told["ok"] is all(one["ok"] is not False for one in told["findings"])
        assert result.exit_code == (0 if told["ok"] else 1)
        found: list[dict[str, Any]] = told["findings"]
        return found


@pytest.fixture(scope="module")
def running() -> Iterator[Small]:
    with small() as sandbox, with_its_settings(sandbox) as running:
        forget_clients()
        yield running
        forget_clients()


def forget_clients() -> None:
    """Let the SDKs' connections go, so that the sandbox can close its ends of them."""
    for made_once in CLIENTS:
        made_once.cache_clear()
    gc.collect()
    time.sleep(0.1)


@pytest.fixture
def clinic(running: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "small.yaml").write_text(
        "instance_type: Standard_DS3_v2\ninstance_count: 1\n"
    )
    (tmp_path / "deployments" / "retrain.yaml").write_text(JOB)
    (tmp_path / "rules.yaml").write_text(RULES)
    monkeypatch.setenv("MAIL_SIGN_IN", "let me in")
    monkeypatch.setenv("IDENTITY_HEADER", OWNER)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")  # the SDK changes it, for good
    clinic = Clinic(running, tmp_path, monkeypatch)
    loaded = load_rules(tmp_path / "rules.yaml", Settings.read())
    filters = compile_filters(loaded.rules, loaded.filters)
    running.sandbox.event_grid.subscriptions[:] = [
        Subscription(
            name=name,
            endpoint=f"{running.url}/runtime/webhooks/eventgrid?functionName={name}",
            filter=found.to_json(),
            labels=(make_label(found.to_json()),),
        )
        for name, found in filters.items()
    ]
    workspace = running.ready["workspace"]
    model = {"modelType": "mlflow_model", "modelUri": "azureml://jobs/j/outputs/artifacts/paths/m"}
    clinic.arm("PUT", f"{workspace}/models/fraud-net/versions/1", properties=model)
    clinic.arm("PUT", f"{running.ready['data_factory']}/pipelines/retrain", **PIPELINE)
    yield clinic
    requests.delete(running.ready["faults"], timeout=10)
    clinic.arm("DELETE", "/_sandbox/permissions")


MARK = {"mlevents_response": {"type": "string", "defaultValue": ""}}
PIPELINE = {"properties": {"parameters": {"monitor": {"type": "string"}, **MARK}, "activities": []}}
UNMARKED = {"properties": {"parameters": {"monitor": {"type": "string"}}, "activities": []}}


def test_a_healthy_sandbox_is_well(clinic: Clinic):
    found = clinic.findings("--quota")
    assert {one["ok"] for one in found} == {True}
    assert [one["about"] for one in found if one["part"] == "events of workspace prod"] == [
        "DatasetDriftDetected",
        "ModelRegistered",
        "RunStatusChanged",
    ]


def test_people_read_marks_remedies_and_a_sum(clinic: Clinic):
    clinic.patch.delenv("TEAMS_WORKFLOW_URL")
    result = clinic.ask()
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "workspace prod" in lines
    assert "  ✓ prod: exists, in westeurope" in lines
    at = lines.index("  ✗ mlops-teams: the app setting 'TEAMS_WORKFLOW_URL' is not set")
    assert lines[at + 1].startswith("      → set it on the Function App, or in local.settings.json")
    assert re.fullmatch(r"\d+ ok, 1 failed, 0 not checked", lines[-1])


def forget(clinic: Clinic, function: str) -> None:
    clinic.subscriptions.remove(clinic.subscription(function))


def drop(clinic: Clinic, action: str) -> None:
    """Every action but one, for the person who asks."""
    everything = [{"actions": ["*"], "notActions": [action]}]
    place = clinic.small.ready["workspace"]
    clinic.arm("POST", "/_sandbox/permissions", permissions=everything, scope=place, who=OWNER)


def other_filter(clinic: Clinic, *, labelled: bool, **change: Any) -> None:
    one = clinic.subscription("ModelRegistered")
    one.filter = {**one.filter, **change}
    one.labels = (make_label(one.filter),) if labelled else one.labels


def misdirect(clinic: Clinic) -> None:
    one = clinic.subscription("ModelRegistered")
    one.endpoint = one.endpoint.replace("ModelRegistered", "RunCompleted")


def stage_filter(*values: str) -> list[dict[str, Any]]:
    return [{"operatorType": "StringIn", "key": "data.modelTags.stage", "values": list(values)}]


def left_over(clinic: Clinic) -> None:
    one = clinic.subscription("ModelDeployed")
    one.filter = {"includedEventTypes": ["Microsoft.MachineLearningServices.ModelDeployed"]}


WRITE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"
FACTORY = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-data"
    "/providers/Microsoft.DataFactory/factories/adf-retrain"
)

MISSING: dict[str, tuple[Callable[[Clinic], object], str, str, str]] = {
    "workspace": (
        lambda clinic: clinic.rules("workspaces/ml-prod", "workspaces/ml-none"),
        *(
            "prod",
            r"the workspace /subscriptions/.*/ml-none does not exist",
            "correct its id under `workspaces`",
        ),
    ),
    "workspace's answer": (
        lambda clinic: clinic.fault(match="GET .*/workspaces/ml-prod$", status=503, times=1),
        *("prod", "Azure answered 503", "correct its id"),
    ),
    "factory": (
        lambda clinic: clinic.rules("adf-retrain", "adf-none"),
        *(
            "factory 'adf-none'",
            "the Data Factory /subscriptions/.*/adf-none does not exist",
            "create the factory",
        ),
    ),
    "pipeline": (
        lambda clinic: clinic.arm("DELETE", f"{FACTORY}/pipelines/retrain"),
        *("pipeline 'retrain'", "404 PipelineNotFound", "create and publish the pipeline"),
    ),
    "declared parameter": (
        lambda clinic: clinic.rules("parameters: {monitor:", "parameters: {montor: x, monitor:"),
        *(
            "pipeline 'retrain'",
            r"declares no parameter 'montor' \(did you mean 'monitor'\?\)",
            "take it out",
        ),
    ),
    "given parameter": (
        lambda clinic: clinic.rules(', parameters: {monitor: "${drift.monitor}"}', ""),
        *("pipeline 'retrain'", "its parameter 'monitor' has no default value", "add it to `parameters`"),
    ),
    "permission": (
        lambda clinic: drop(clinic, WRITE),
        *(WRITE, "is not allowed, but deploy_model needs it", r"the role AzureML Data Scientist \(f6c7c914"),
    ),
    "pipeline component": (
        lambda clinic: clinic.rules("component: retrain@latest", "component: retrian@latest"),
        *("component 'retrian@latest' in workspace 'ml-prod'", "retrian", "correct `component`"),
    ),
    "batch endpoint": (
        lambda clinic: clinic.rules("batch_endpoint: retrain-batch", "batch_endpoint: retrain-none"),
        *("batch endpoint 'retrain-none' in workspace 'ml-prod'", "404", "correct `batch_endpoint`"),
    ),
    "batch deployment": (
        lambda clinic: clinic.rules("deployment: default", "deployment: other"),
        *("batch endpoint 'retrain-batch' in workspace 'ml-prod'", "'other'.*404", "and `deployment`"),
    ),
    "component of a job": (
        lambda clinic: clinic.rules("azureml:train:1", "azureml:train:7"),
        *("component 'train:7' in workspace 'ml-prod'", "train:7", "correct the job's file"),
    ),
    "compute of a job": (
        lambda clinic: clinic.rules("azureml:cpu-cluster", "azureml:gpu-cluster"),
        *("compute 'gpu-cluster' in workspace 'ml-prod'", "404", "name another compute"),
    ),
    "model": (
        lambda clinic: clinic.rules("fraud-net:1", "fraud-net:9"),
        *("model 'fraud-net:9' in workspace 'ml-prod'", "is not registered", "register it"),
    ),
    "quota": (
        lambda clinic: clinic.rules("instance_count: 1", "instance_count: 4"),
        "quota for 'deployments/small.yaml' in workspace 'ml-prod'",
        "4 × Standard_DS3_v2 needs 20 virtual CPUs, 16 of 24 are free in westeurope",
        "ask for more quota",
    ),
    "instance type": (
        lambda clinic: clinic.rules("Standard_DS3_v2", "Standard_DS12_v2"),
        "quota for 'deployments/small.yaml' in workspace 'ml-prod'",
        "online endpoints do not run on 'Standard_DS12_v2' in westeurope",
        "choose an instance_type",
    ),
    "subscription": (
        lambda clinic: forget(clinic, "RunStatusChanged"),
        *("RunStatusChanged", "has no event subscription", "azd hooks run postdeploy"),
    ),
    "dead letters": (
        lambda clinic: setattr(clinic.subscription("RunStatusChanged"), "dead_letters", False),
        *("RunStatusChanged", "'RunStatusChanged': has no dead-letter destination", "configure a container"),
    ),
    "newer filter": (
        lambda clinic: other_filter(clinic, labelled=True, advancedFilters=stage_filter("staging")),
        "ModelRegistered",
        "its filter comes from older rules: it lacks data.modeltags.stage StringIn prod, production, and it "
        "also has data.modeltags.stage StringIn staging",
        "deploy the subscriptions again",
    ),
    "filter as deployed": (
        lambda clinic: other_filter(clinic, labelled=False, subjectEndsWith=":1"),
        *("ModelRegistered", "its filter was edited after it was deployed: it also has a subject that ends "),
        "deploy the subscriptions again",
    ),
    "right function": (
        misdirect,
        *("ModelRegistered", "'ModelRegistered': delivers to the function RunCompleted", "change it to"),
    ),
    "need of a subscription": (
        left_over,
        *("ModelDeployed", "'ModelDeployed' delivers events that no rule needs", "delete it"),
    ),
    "mail server": (
        lambda clinic: clinic.patch.setenv("SMTP_PORT", "1"),
        *("server", "connecting to 127.0.0.1:1: ConnectionRefusedError", "correct `host`, `port`"),
    ),
    "mail service's consent": (
        lambda clinic: clinic.fault(match="GET /emails/operations/", status=403, times=1),
        *("endpoint", "Azure answered 403", r"the role Communication and Email Service Owner \(09976791"),
    ),
    "setting": (
        lambda clinic: clinic.patch.delenv("TEAMS_WORKFLOW_URL"),
        *("mlops-teams", "the app setting 'TEAMS_WORKFLOW_URL' is not set", "set it on the Function App"),
    ),
    "place to chat": (
        lambda clinic: clinic.patch.setenv("TEAMS_WORKFLOW_URL", "workflows://secretplace"),
        *("url", "apprise does not understand the workflows:// URL", "compare it with https://"),
    ),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_is_missing_is_found_and_nothing_else(clinic: Clinic, what: str):
    well = {(one["part"], one["about"]) for one in clinic.findings("--quota")}
    break_, about, said, remedy = MISSING[what]
    break_(clinic)
    found = clinic.findings("--quota")
    (wrong,) = [one for one in found if one["ok"] is not True]
    assert (wrong["about"], wrong["ok"]) == (about, False)
    assert re.search(said, wrong["said"]), wrong["said"]
    assert re.search(remedy, wrong["remedy"]), wrong["remedy"]
    assert "secretplace" not in json.dumps(found)
    lost = {part for part, _ in well} - {one["part"] for one in found}
    assert what == "workspace" or not [part for part in lost if "run_data_factory" not in part]


def test_a_right_that_rebuilding_events_needs_is_named_and_no_failure(clinic: Clinic):
    right = "Microsoft.MachineLearningServices/workspaces/experiments/runs/read"
    drop(clinic, right)
    [one] = [one for one in clinic.findings() if one["about"] == "history"]
    assert one["ok"] is None
    assert one["said"].endswith(f"need {right}")
    assert one["remedy"].startswith("assign the role Reader (acdd72a7")


PROVIDER = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-live"
    "/providers/Microsoft.MachineLearningServices"
)
LIVE, REGISTRY = f"{PROVIDER}/workspaces/ml-live", f"{PROVIDER}/registries/contoso-models"
PROMOTE = """\
  - id: promote
    event: model.registered
    where: {model: {tags: {stage: [production, prod]}}}
    do:
      - {uses: share_model, id: share, with: {registry: models, workspace: live, model: "fraud-net:1"}}
      - {uses: deploy_model, with: {workspace: live, model: "${steps.share.model}", endpoint: fraud, template: deployments/small.yaml}}
"""  # noqa: E501


def test_a_registry_and_another_workspace_are_checked_with_the_rights_there(clinic: Clinic):
    more = f"  models: {{type: ml_registry, id: {REGISTRY}}}\n  live: {{type: ml_workspace, id: {LIVE}}}\n"
    clinic.rules("rules:\n", f"{more}rules:\n{PROMOTE}")
    found = {one["about"]: one for one in clinic.findings() if one["ok"] is False}
    assert found["registry 'contoso-models'"]["said"].endswith("does not exist: create it, or correct its id")
    assert found["workspace 'ml-live'"]["said"] == f"the workspace {LIVE} does not exist"
    clinic.small.sandbox.arm.add_registry(REGISTRY)
    clinic.small.sandbox.arm.add_workspace(LIVE)
    checked = {one["about"]: one["said"] for one in clinic.findings() if one["ok"]}
    assert checked["registry 'contoso-models'"] == "exists, for workspaces in westeurope"
    assert checked["registry 'models' for workspace 'ml-live'"] == "serves westeurope"
    assert checked["endpoint 'fraud' in workspace 'ml-live'"] == "does not exist yet, and will be created"
    for place, action in ((REGISTRY, "registries/assets/write"), (LIVE, "workspaces/onlineEndpoints/write")):
        wanted = f"Microsoft.MachineLearningServices/{action}"
        everything = [{"actions": ["*"], "notActions": [wanted]}]
        clinic.arm("POST", "/_sandbox/permissions", permissions=everything, scope=place, who=OWNER)
        [wrong] = [one for one in clinic.findings() if one["ok"] is False]
        assert wrong["about"] == wanted
        clinic.arm("DELETE", "/_sandbox/permissions")


def test_a_failed_endpoint_is_found(clinic: Clinic):
    path = f"{clinic.small.ready['workspace']}/onlineEndpoints/fraud"
    clinic.fault(
        match="PUT .*/onlineEndpoints/fraud$", fail_operation={"code": "BadArgument", "message": "no"}
    )
    clinic.arm("PUT", path, location="westeurope", properties={"authMode": "Key"}, identity={"type": "None"})
    try:
        for _ in range(100):
            (one,) = [one for one in clinic.findings() if one["about"].startswith("endpoint 'fraud'")]
            if one["ok"] is False:
                break
        assert "is Failed: BadArgument: no" in one["said"]
    finally:
        clinic.arm("DELETE", path)


def test_an_endpoint_that_azure_does_not_find_for_a_moment_is_there(clinic: Clinic):
    path = f"{clinic.small.ready['workspace']}/onlineEndpoints/fraud"
    clinic.arm("PUT", path, location="westeurope", properties={"authMode": "Key"}, identity={"type": "None"})
    clinic.fault(match="GET .*/onlineEndpoints/fraud$", status=404)
    try:
        (one,) = [one for one in clinic.findings() if one["about"].startswith("endpoint 'fraud'")]
        assert (one["ok"], one["said"]) == (True, "exists, its traffic: none")
    finally:
        for _ in range(100):
            with suppress(requests.HTTPError):
                clinic.arm("DELETE", path)
                break


def test_a_value_that_waits_for_an_event_is_said_not_to_be_examined(clinic: Clinic):
    clinic.rules("endpoint: fraud", 'endpoints: "*", endpoint: "${model.name}"')
    clinic.rules("pipeline: retrain", 'pipeline: "${drift.monitor}"')
    clinic.rules("component: retrain@latest", 'component: "${drift.monitor}"')
    found = clinic.findings()
    waiting = {one["about"]: one["said"] for one in found if one["ok"] is None}
    assert set(waiting) == {"endpoint", "pipeline", "component"}
    assert waiting["pipeline"] == "'${drift.monitor}' is filled in from each event, so it was not checked"
    assert all(one["ok"] is not False for one in found)


def test_a_pipeline_in_which_a_run_of_someone_else_may_count_as_ours_is_named(clinic: Clinic) -> None:
    factory = clinic.small.ready["data_factory"]
    clinic.arm("PUT", f"{factory}/pipelines/retrain", **UNMARKED)
    (one,) = [one for one in clinic.findings() if "mlevents_response" in one["said"]]
    assert (one["ok"], one["about"]) == (None, "pipeline 'retrain'")
    assert "each run with equal parameters" in one["said"]
    assert one["remedy"] == "declare mlevents_response (String) in the pipeline, and publish it"


def test_another_function_app_is_another(clinic: Clinic):
    assert {one["ok"] for one in clinic.findings("--function-app", APP_ID.upper())} == {True}
    found = clinic.findings("--function-app", APP_ID + "-2")
    wrong = [one for one in found if one["ok"] is False]
    assert [one["about"] for one in wrong] == ["DatasetDriftDetected", "ModelRegistered", "RunStatusChanged"]
    assert {one["said"] for one in wrong} == {f"has no event subscription; another app has one: {APP_ID}"}


def test_what_may_not_be_read_is_open_and_no_problem(clinic: Clinic):
    clinic.fault(match="GET .*/Microsoft.Authorization/permissions", status=403, times=9)
    clinic.fault(match="GET .*/Microsoft.EventGrid/", status=403, times=9)
    found = clinic.findings()
    may_not = [one for one in found if one["said"].endswith("cannot be read")]
    assert [one["about"] for one in may_not] == ["permissions", "event subscriptions", "permissions"]
    assert all(one["ok"] is not False and one["remedy"] for one in may_not)


def test_no_identity_hides_nothing_that_needs_none(clinic: Clinic):
    clinic.patch.setenv("IDENTITY_HEADER", "somebody else")
    forget_clients()
    found = clinic.findings()
    by_part = {part: {one["ok"] for one in found if one["part"] == part} for part in map(part_of, found)}
    assert by_part["identity"] == {False}
    assert by_part["workspace prod"] == {None}
    assert by_part["connection mlops-mail"] == {True}
    assert by_part["connection mlops-teams"] == {True}
    forget_clients()


def part_of(finding: dict[str, Any]) -> str:
    return str(finding["part"])


def test_nothing_is_sent_or_changed(clinic: Clinic):
    arrived = requests.get(clinic.small.ready["inbox"], timeout=10).json()
    clinic.arm("DELETE", "/_sandbox/requests")
    clinic.findings("--quota")
    assert requests.get(clinic.small.ready["inbox"], timeout=10).json() == arrived
    url = f"{clinic.small.ready['arm']}/_sandbox/requests"
    asked = requests.get(url, verify=clinic.small.ready["ca"], timeout=10).json()
    written = {one["path"].rpartition("/")[2] for one in asked if one["method"] != "GET"}
    assert written == {"queryPipelineRuns"}


def test_the_whole_sandbox_has_the_subscriptions_that_its_rules_ask_for(shipped: Stage):
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", **shipped.environment()}
    environment["AZURE_SUBSCRIPTION_ID"] = shipped.workspace.split("/")[2]
    command = [sys.executable, "-W", "ignore", "-m", "mlevents", "doctor", "--json", "--rules"]
    run = subprocess.run(
        [*command, str(ROOT / "rules.yaml")], cwd=ROOT, env=environment, capture_output=True, check=False
    )
    told = json.loads(run.stdout)
    assert (run.returncode, told["ok"]) == (0, True), told
    subscribed = [one for one in told["findings"] if one["part"] == "events of workspace prod"]
    assert {one["about"]: one["ok"] for one in subscribed} == dict.fromkeys(
        ("ModelRegistered", "RunStatusChanged", "DatasetDriftDetected"), True
    )
