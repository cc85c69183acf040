"""Rollouts whose traffic is refused the way back for long, that send probes, or go to another workspace.

The whole app on the sandbox: Durable Functions and the Azure SDKs are real.
"""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.sandbox_process import ROOT, UNDER_WAY, Stage, stage, until

pytestmark = pytest.mark.slow
API = "?api-version=2024-10-01"
PATIENCE = 60.0
MAIL = (
    "{type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none, "
    "sender: a@b.example, to: [t@b.example]}"
)
PROVIDER = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-live/providers"
    "/Microsoft.MachineLearningServices"
)
LIVE = f"{PROVIDER}/workspaces/ml-live"
RULES = f"""
version: 1
endpoints: "*"
connections:
  team: {MAIL}
  models: {{type: ml_registry, id: {PROVIDER}/registries/contoso-models}}
  live: {{type: ml_workspace, id: {LIVE}}}
defaults:
  on_failure: [{{uses: notify, with: {{to: team, template: rollout-failed}}}}]
rules:
  - id: plain
    event: model.registered
    where: {{model: {{tags: {{kind: plain}}}}}}
    do: [{{uses: deploy_model, with: {{template: deployments/small.yaml}}}}]
  - id: limited
    event: model.registered
    where: {{model: {{tags: {{kind: limited}}}}}}
    do: [{{uses: deploy_model, with: {{template: deployments/small.yaml, limits: {{instances: 1}}}}}}]
  - id: watched
    event: model.registered
    where: {{model: {{tags: {{kind: watched}}}}}}
    do:
      - uses: deploy_model
        with:
          template: deployments/small.yaml
          rollout:
            steps: [{{percent: 10, for: 5m}}]
            checks: [{{metric: error_rate, max: 0.2}}]
            min_requests: 5
  - id: promoted
    event: model.registered
    where: {{model: {{tags: {{kind: promoted}}}}}}
    do:
      - {{uses: share_model, id: share, with: {{registry: models}}}}
      - uses: deploy_model
        with:
          workspace: live
          model: "${{steps.share.model}}"
          endpoint: promoted
          template: deployments/small.yaml
          rollout: {{smoke_test: {{request: {{input_data: [[1, 2]]}}}}}}
  - id: probed
    event: model.registered
    where: {{model: {{tags: {{kind: probed}}}}}}
    do:
      - uses: deploy_model
        with:
          template: deployments/small.yaml
          rollout:
            smoke_test: {{request: {{input_data: [[1, 2]]}}}}
            steps: [{{percent: 10, for: 6m}}]
            checks: [{{metric: error_rate, max: 0.2}}]
            min_requests: 10
            no_traffic: probe
            probe: {{rps: 0.2}}
"""


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("refused")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    with stage(folder / "rules.yaml", 600) as running:
        yield running


def deployed(on: Stage, name: str, version: str, kind: str, **tags: str) -> dict[str, Any]:
    """The response to this version's registration, once it has ended."""
    on.register(name, version, {"kind": kind, **tags})
    return outcome(on, name, version)


def outcome(on: Stage, name: str, version: str) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        those = on.responses(f"models/{name}:{version}")
        return [] if any(one["status"] in UNDER_WAY for one in those) else those

    return until(found, PATIENCE, lambda: f"still: {on.responses(f'models/{name}:{version}')}")[0]


def endpoint(on: Stage, name: str) -> dict[str, Any]:
    found: dict[str, Any] = on.arm(f"{on.workspace}/onlineEndpoints/{name}{API}")["properties"]
    return found


def lives(on: Stage, name: str) -> list[dict[str, int]]:
    """Every map that requests were routed by, in order."""
    found: list[dict[str, int]] = []
    for seen in on.traffic_seen(name):
        live = {one: share for one, share in seen["live"].items() if share}
        found += [live] if live and live not in found[-1:] else []
    return found


def subjects(on: Stage, name: str) -> list[str]:
    return [mail["subject"] for mail in on.inbox() if f"{name}:2" in str(mail)]


def test_a_way_back_that_is_refused_for_long_is_tried_until_it_succeeds(on: Stage) -> None:
    name = "refused"
    assert deployed(on, name, "1", "plain")["status"] == "done"
    on.load(name, rps=2, error_rate=0.9)
    on.register(name, "2", {"kind": "watched"})
    moved = {f"{name}-1": 90, f"{name}-2": 10}
    until(lambda: moved in lives(on, name), PATIENCE, lambda: f"no canary: {lives(on, name)}")
    on.fault(match=f"PUT .*/onlineEndpoints/{name}$", status=403, times=4)
    one = outcome(on, name, "2")
    on.load(name, rps=0)
    assert one["status"] == "failed", one
    assert "error rate" in one["because"]
    assert f"the traffic of '{name}' is {name}-1 100 %" in one["because"]
    assert lives(on, name) == [{f"{name}-1": 100}, moved, {f"{name}-1": 100}]
    told = subjects(on, name)
    assert told[0] == f"Endpoint {name}: the traffic is not restored yet, still trying"
    assert told[-1] == f"Rollout of {name}:2 to {name} failed"
    assert deployed(on, name, "3", "plain")["status"] == "done", "the endpoint is free"


def test_a_small_endpoint_is_judged_by_probes(on: Stage) -> None:
    name = "small"
    assert deployed(on, name, "1", "plain")["status"] == "done"
    one = deployed(on, name, "2", "probed")
    assert one["status"] == "done", one
    assert lives(on, name)[-1] == {f"{name}-2": 100}


def test_probes_find_a_model_that_fails(on: Stage) -> None:
    name = "failing"
    assert deployed(on, name, "1", "plain")["status"] == "done"
    one = deployed(on, name, "2", "probed", **{"sandbox.error_rate": "0.5"})
    assert one["status"] == "failed", one
    assert lives(on, name)[-1] == {f"{name}-1": 100}
    assert {f"{name}-2": 100} not in lives(on, name)
    assert subjects(on, name) == [f"Rollout of {name}:2 to {name} failed"]


def test_a_deployment_beyond_the_limit_is_refused_before_anything_changes(on: Stage):
    assert deployed(on, "limit-net", "1", "limited")["status"] == "done"
    refused = deployed(on, "limit-net", "2", "limited")
    assert refused["status"] == "failed"
    said = "endpoint 'limit-net' has 1 instance (limit-net-1 1), and 'limit-net-2' needs 1: 2 in all"
    assert said in str(refused["steps"])
    found = on.arm(f"{on.workspace}/onlineEndpoints/limit-net/deployments{API}")["value"]
    assert [one["name"] for one in found] == ["limit-net-1"]


def test_a_model_is_promoted_to_another_workspace_and_a_bad_one_changes_nothing_there(on: Stage) -> None:
    path = f"{LIVE}/onlineEndpoints/promoted{API}"
    first = deployed(on, "promoted", "1", "promoted")
    assert first["status"] == "done", first
    assert on.arm(path)["properties"]["traffic"] == {"promoted-1": 100}
    shown = requests.get(f"{on.ready['functions']}/api/v1/responses/{first['id']}", timeout=30).json()
    result = shown["results"]["deploy_model"]
    assert (result["workspace"], result["model"]) == (LIVE, "promoted:1")
    bad = deployed(on, "promoted", "2", "promoted", **{"sandbox.error_rate": "1"})
    assert bad["status"] == "failed", bad
    assert on.arm(path)["properties"]["traffic"] == {"promoted-1": 100}
    assert f"wsid={LIVE}" in next(str(mail) for mail in on.inbox() if "promoted:2" in str(mail))
