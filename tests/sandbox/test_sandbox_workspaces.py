"""The sandbox has each workspace and each factory that the rules name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import Stage, stage

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PROVIDERS = "resourceGroups/rg-own/providers"
DEV = f"/subscriptions/{SUBSCRIPTION}/{PROVIDERS}/Microsoft.MachineLearningServices/workspaces/Own-Dev"
PROD = f"/subscriptions/{SUBSCRIPTION}/{PROVIDERS}/Microsoft.MachineLearningServices/workspaces/own-prod"
FACTORY = f"/subscriptions/{SUBSCRIPTION}/{PROVIDERS}/Microsoft.DataFactory/factories/own-factory"
RULES = f"""\
version: 1
workspaces:
  dev: {DEV.replace(SUBSCRIPTION, "${env.OWN_SUBSCRIPTION}")}
  prod: {PROD}
connections:
  adf: {{type: data_factory, id: {FACTORY}}}
endpoints: [fraud]
rules:
  - id: deploy
    event: model.registered
    do:
      - uses: deploy_model
        with: {{endpoint: fraud, template: small.yaml, rollout: {{smoke_test: {{request: {{data: [1]}}}}}}}}
    on_failure: []
  - id: retrain
    event: run.status_changed
    do:
      - uses: run_data_factory_pipeline
        with: {{connection: adf, pipeline: own-training, parameters: {{reason: "${{run.status}}"}}}}
    on_failure: []
"""
TEMPLATE = "instance_type: Standard_DS3_v2\ninstance_count: 1\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("workspaces")
    (folder / "rules.yaml").write_text(RULES)
    (folder / "small.yaml").write_text(TEMPLATE)
    (folder / "local.settings.json").write_text(f'{{"Values": {{"OWN_SUBSCRIPTION": "{SUBSCRIPTION}"}}}}')
    with stage(folder / "rules.yaml", 3000) as found:
        yield found


def within(running: Stage, workspace: str) -> Stage:
    found = Stage(running.ready)
    found.workspace = workspace
    return found


def test_the_ready_file_names_them_as_written(running: Stage):
    assert running.ready["workspaces"] == {"dev": DEV, "prod": PROD}
    assert running.ready["workspace"] == DEV


def test_an_event_of_each_is_published_and_its_model_is_deployed_there(running: Stage):
    for version, workspace in ((1, DEV), (2, PROD)):
        own = within(running, workspace)
        own.register("fraud-net", str(version), {})
        [response] = own.settled(f"models/fraud-net:{version}")
        assert response["status"] == "done", response
    for version, workspace in ((1, DEV), (2, PROD)):
        own = within(running, workspace)
        listed = own.arm(f"{workspace}/onlineEndpoints/fraud/deployments?api-version=2024-10-01")["value"]
        assert [one["properties"]["model"] for one in listed] == [
            f"{workspace}/models/fraud-net/versions/{version}"
        ]
        models = own.arm(f"{workspace}/models/fraud-net/versions?api-version=2024-10-01")["value"]
        assert [one["name"] for one in models] == [str(version)]


def test_requests_reach_the_endpoint_of_their_own_workspace(running: Stage):
    for workspace in (DEV, PROD):
        own = within(running, workspace)
        endpoint = own.arm(f"{workspace}/onlineEndpoints/fraud?api-version=2024-10-01")
        answer = requests.post(
            endpoint["properties"]["scoringUri"],
            json={"data": [1]},
            headers={"Authorization": f"Bearer {own.endpoint_key('fraud')}"},
            verify=running.ready["ca"],
            timeout=10,
        )
        assert answer.status_code == 200, answer.text


def test_the_app_has_rights_in_each_and_nowhere_else(running: Stage):
    who: dict[str, Any] = {}
    for one in running.requests_seen("PUT"):
        who.setdefault(one["path"].partition("/onlineEndpoints")[0].lower(), one["status"])
    assert {DEV.lower(), PROD.lower()} <= set(who)
    assert not [one for one in running.requests_seen() if one["status"] == 403]


def test_a_pipeline_that_a_step_names_is_in_its_factory(running: Stage):
    event = running.run_status_changed("train-1", "Failed")
    running.publish(event)
    [response] = running.settled(event_id=event["id"])
    assert response["status"] == "done", response
    pipeline = running.arm(f"{FACTORY}/pipelines/own-training?api-version=2018-06-01")
    assert set(pipeline["properties"]["parameters"]) == {"reason", "mlevents_response"}


def test_each_has_its_own_system_topic(running: Stage):
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/systemTopics?api-version=2022-06-15"
    topics = running.arm(path)["value"]
    assert [one["properties"]["source"] for one in topics] == [DEV, PROD]


def test_what_no_rule_names_does_not_exist(running: Stage):
    others = (("Own-Dev", "other"), ("rg-own", "rg-other"), ("1111", "9999"))
    for path in (DEV.replace(*names) for names in others):
        with pytest.raises(requests.HTTPError) as error:
            running.arm(f"{path}/models?api-version=2024-10-01")
        assert error.value.response.status_code == 404


def test_a_workspace_of_another_environment(tmp_path: Path):
    folder = tmp_path / "environments"
    folder.mkdir()
    (tmp_path / "rules.yaml").write_text(f"version: 1\nworkspaces: {{ml: {PROD}}}\nrules: []\n")
    (folder / "dev.yaml").write_text(f"workspaces: {{ml: {DEV}}}\n")
    with stage(tmp_path / "rules.yaml", 600, "--env", "dev") as running:
        assert running.ready["workspaces"] == {"ml": DEV}
