"""Azure Monitor's metrics, scoring and logs through the real SDKs, over TLS, against the sandbox."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mlevents.actions.action import Done
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.errors import TransientError
from mlevents.services import arm_client, azure_credential, resource_manager, scoring
from mlevents.services.machine_learning import workspace_client
from mlevents.services.metrics import Metrics
from mlevents.services.scoring import ScoringTarget
from mlevents.services.services import Services
from mlevents.settings import Settings
from sandbox.azure.machine_learning.scores import Score
from tests.sandbox.arm_server import Server, serving
from tests.sandbox.test_deploy_model_against_arm import TEMPLATE, carry, context, deploy

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs

AUDIENCE = "https://metrics.monitor.azure.com"
METRICS = "/providers/Microsoft.Insights/metrics"
ROLLOUT = {
    "smoke_test": {"request": {"input_data": [[1]]}, "json": {"version": "2", "predictions[0]": {"lte": 1}}},
    "steps": [{"percent": 10, "for": "5m"}],
    "checks": [{"metric": "error_rate", "max": 0.1}, {"metric": "latency_p95", "max": "1s"}],
    "min_requests": 1,
}


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("ca"), speed=1) as running:
        yield running


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("ca"), speed=6000) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has its own identity and its own authority to trust."""
    made_once = (
        azure_credential._credential,
        workspace_client._open,
        arm_client._pipeline,
        resource_manager.open_resource_manager,
        scoring._http,
    )
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")  # the SDK changes it, for good
    for one in made_once:
        one.cache_clear()
    yield
    for one in made_once:
        one.cache_clear()


def monitored(server: Server, monkeypatch: pytest.MonkeyPatch) -> tuple[Metrics, str]:
    server.settings(monkeypatch)
    if server.call("GET", "onlineEndpoints/net").status_code == 404:
        body = {"location": "westeurope", "properties": {"authMode": "Key"}}
        assert server.call("PUT", "onlineEndpoints/net", json=body).status_code == 201
    place = f"{server.manager.workspace_id}/onlineEndpoints/net"
    return Metrics(resource_manager.ResourceManager(server.manager.base_url)), place


def answered(server: Server, age: float, deployment: str = "blue", status: int = 200, **more: Any) -> None:
    """A request that a deployment answered so many of Azure's seconds ago."""
    pace = server.manager.pace
    time = pace.now().timestamp() - pace.seconds(age)
    score = Score(time, "net", deployment, status, more.pop("seconds", 0.02), False, **more)
    scores = server.manager.machine_learning.scoring.scores
    scores.append(score)
    ordered = sorted(scores, key=lambda one: one.time)
    scores.clear()
    scores.extend(ordered)


@pytest.fixture
def quiet(slow: Server) -> Server:
    slow.manager.machine_learning.scoring.scores.clear()
    return slow


def test_requests_and_errors_are_counted_by_deployment_and_minute(
    quiet: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age, deployment, status in ((130, "blue", 200), (130, "blue", 424), (200, "Green", 400)):
        answered(quiet, age, deployment, status)
    read, place = monitored(quiet, monkeypatch)
    found = read.minutes(place, 600, {"P95"})
    assert {name: [(one.requests, one.errors) for one in those] for name, those in found.items()} == {
        "blue": [(2, 1)],
        "green": [(1, 0)],
    }
    [minute] = found["blue"]
    assert 130 <= minute.age < 190
    assert minute.latency == {"P95": 0.02}


def test_what_is_younger_than_a_minute_does_not_show_yet(
    quiet: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(quiet, 20)
    read, place = monitored(quiet, monkeypatch)
    assert read.minutes(place, 600, {"P50"}) == {}


def test_the_span_is_kept_to(quiet: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(quiet, 100)
    answered(quiet, 1000)
    read, place = monitored(quiet, monkeypatch)
    assert sum(one.requests for one in read.minutes(place, 300, [])["blue"]) == 1


def test_percentiles_are_percentiles(quiet: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        answered(quiet, 300, seconds=(number + 1) / 1000)
    read, place = monitored(quiet, monkeypatch)
    [minute] = read.minutes(place, 600, {"P50", "P99"})["blue"]
    assert minute.latency == {"P50": pytest.approx(0.051), "P99": pytest.approx(0.1)}


def test_at_speed_a_minute_is_one_of_azures(fast: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    fast.manager.machine_learning.scoring.scores.clear()
    read, place = monitored(fast, monkeypatch)
    read.minutes(place, 600, [])  # the first call takes longer: it fetches a token
    for age in (1000, 1600, 2200):
        answered(fast, age)
    [*minutes] = read.minutes(place, 90_000, [])["blue"]
    ages = [one.age for one in minutes]
    assert len(ages) == 3
    assert [round(b - a, -2) for a, b in pairwise(ages)] == [600, 600]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (
            {"metricnamespace": "Microsoft.Compute/virtualMachines"},
            "is not Microsoft.MachineLearningServices",
        ),
        ({"metricnames": "Nonsense"}, "Failed to find metric configuration"),
        ({"interval": "PT5M"}, "invalid time grain"),
        ({"aggregation": "Total"}, "The aggregation 'Total' is not supported"),
        (
            {"metricnames": "RequestLatency_P95", "filter": "statusCode eq '*'"},
            "the dimensions are deployment",
        ),
    ],
)
def test_what_azure_monitor_refuses_is_refused(quiet: Server, query: dict[str, str], says: str) -> None:
    usual = {
        "metricnamespace": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
        "metricnames": "RequestsPerMinute",
        "api-version": "2024-02-01",
    }
    subscription = quiet.manager.workspace_id.split("/")[2]
    answer = quiet.call(
        "POST",
        f"/subscriptions/{subscription}/metrics:getBatch",
        params={**usual, **query},
        json={"resourceids": [f"{quiet.manager.workspace_id}/onlineEndpoints/net"]},
        headers={"Authorization": f"Bearer {quiet.identity.owner_token(AUDIENCE)}"},
    )
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]
    at_the_endpoint = {"$filter" if name == "filter" else name: value for name, value in query.items()}
    place = f"onlineEndpoints/net{METRICS}"
    answer = quiet.call("GET", place, params={**usual, **at_the_endpoint})
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


def test_an_endpoint_that_is_not_there_has_no_metrics(quiet: Server) -> None:
    answer = quiet.call("GET", f"onlineEndpoints/none{METRICS}", params={"metricnames": "RequestLatency"})
    assert answer.status_code == 404


def test_the_answer_has_the_documented_shape(quiet: Server) -> None:
    answered(quiet, 130, status=424)
    query = {"metricnames": "RequestsPerMinute", "$filter": "Deployment eq '*' and statuscode eq '*'"}
    now = datetime.now(UTC)
    query["timespan"] = f"{(now - timedelta(minutes=10)).isoformat()}/{now.isoformat()}"
    told = quiet.call("GET", f"ONLINEENDPOINTS/Net{METRICS}", params=query).json()
    assert set(told) == {"cost", "timespan", "interval", "namespace", "resourceregion", "value"}
    [metric] = told["value"]
    assert metric["errorCode"] == "Success"
    [series] = metric["timeseries"]
    labels = {one["name"]["value"]: one["value"] for one in series["metadatavalues"]}
    assert labels == {"deployment": "blue", "statuscode": "424"}
    assert [set(point) for point in series["data"]] == [{"timeStamp", "average"}]


def test_the_batch_query_asks_for_a_right_on_the_whole_subscription(quiet: Server) -> None:
    subscription = quiet.manager.workspace_id.split("/")[2]
    answer = quiet.call(
        "POST",
        f"/subscriptions/{subscription}/metrics:getBatch",
        params={"metricnames": "RequestsPerMinute"},
        json={"resourceids": [f"{quiet.manager.workspace_id}/onlineEndpoints/net"]},
        headers={"Authorization": f"Bearer {quiet.identity.token(AUDIENCE)}"},
    )
    assert answer.status_code == 403
    said = answer.json()["error"]["message"]
    assert f"'Microsoft.Insights/metrics/read' over scope '/subscriptions/{subscription}' or" in said


def test_a_token_for_another_audience_is_not_enough(quiet: Server) -> None:
    subscription = quiet.manager.workspace_id.split("/")[2]
    answer = quiet.call("POST", f"/subscriptions/{subscription}/metrics:getBatch", json={})
    assert answer.status_code == 401


@pytest.fixture
def services(fast: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    fast.settings(monkeypatch)
    address = fast.manager.base_url
    settings = Settings(rules=tmp_path / "rules.yaml", resource_manager=address)
    return Services(settings, files={"small.yaml": TEMPLATE})


def test_the_verbs_of_a_rollout_work_over_the_wire(fast: Server, services: Services) -> None:
    fast.manager.machine_learning.scoring.scores.clear()
    deploy(context(fast, "net-m"), services)
    action = DeployModel.model_validate({"template": "small.yaml", "rollout": ROLLOUT})
    at = context(fast, "net-m", "2")
    progress: dict[str, Any] = {}
    for verb in ("ensure_endpoint", "create_deployment", "follow_deployment"):
        progress |= dict(carried(action, verb, replace(at, progress=progress), services).result)
    at = replace(at, progress={**progress, "phase": 0})
    assert carried(action, "smoke_test", at, services).detail.startswith("smoke test: 200 in ")
    at = replace(at, progress={**progress, "phase": 1})
    carried(action, "shift_traffic", at, services)
    found = fast.call("GET", "onlineEndpoints/net-m").json()["properties"]
    assert found["traffic"] == {"net-m-1": 90, "net-m-2": 10}
    observed = carried(
        action, "observe", replace(at, progress={**at.progress, "elapsed": 20_000.0}), services
    )
    assert "error rate 0 % of 10 %" in observed.detail, "the smoke test's own request"
    carried(action, "restore_traffic", at, services)
    left = carried(action, "discard", at, services)
    assert left.detail == "deployment 'net-m-2' is deleted"
    assert any("POST /score 200" in line for line in left.result["log"])
    assert fast.call("GET", "onlineEndpoints/net-m").json()["properties"]["traffic"] == {"net-m-1": 100}


def carried(action: DeployModel, verb: str, at: Any, services: Services) -> Done:
    return carry(verb, at, services, action)


@pytest.mark.parametrize("auth_mode", ["key", "aml_token", "aad_token"])
def test_an_endpoint_lets_us_in_by_its_own_way(fast: Server, services: Services, auth_mode: str) -> None:
    name = f"net-{auth_mode.replace('_', '-')}"
    action = DeployModel.model_validate({"template": "small.yaml", "auth_mode": auth_mode})
    at = context(fast, name)
    progress: dict[str, Any] = {}
    for verb in ("ensure_endpoint", "create_deployment", "follow_deployment", "shift_traffic"):
        progress |= dict(carried(action, verb, replace(at, progress=progress), services).result)
    endpoints = services.machine_learning(fast.manager.workspace_id).endpoints
    state = endpoints.endpoint(name)
    assert state is not None
    score = services.score(
        ScoringTarget(state.scoring_uri, endpoints.token(state), f"{name}-1"), {"input_data": [[1]]}
    )
    assert (score.status, score.body["version"]) == (200, "1")


def test_a_deployment_that_sleeps_is_asked_again_and_a_wrong_key_is_an_answer(
    fast: Server, services: Services
) -> None:
    deploy(context(fast, "net-s"), services)
    endpoints = services.machine_learning(fast.manager.workspace_id).endpoints
    state = endpoints.endpoint("net-s")
    assert state is not None
    assert services.score(ScoringTarget(state.scoring_uri, "wrong", "net-s-1"), {}).status == 401
    fast.fault(match="POST .*/inference/net-s/score", status=503)
    with pytest.raises(TransientError, match="it answered 503"):
        services.score(ScoringTarget(state.scoring_uri, endpoints.token(state), "net-s-1"), {})


def test_a_models_tags_are_read_as_they_are_now(fast: Server, services: Services) -> None:
    body = {
        "properties": {"modelUri": "azureml://x", "modelType": "mlflow_model", "tags": {"accuracy": "0.9"}}
    }
    fast.call("PUT", "models/tagged/versions/1", json=body)
    workspace = services.machine_learning(fast.manager.workspace_id)
    assert workspace.model_tags("tagged", "1") == {"accuracy": "0.9"}
    assert workspace.model_tags("nobodys", "1") is None
