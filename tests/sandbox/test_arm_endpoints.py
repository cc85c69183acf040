"""Online endpoints and deployments, through the real azure-ai-ml over TLS."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.identity import OWNER
from sandbox.azure.machine_learning.traffic import WeightedRouting
from tests.sandbox.arm_server import Server, serving, until

MODEL = "azureml://jobs/train-1/outputs/artifacts/paths/model"
sdk = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
names = (f"ep-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("ca")) as server:
        register(server, "fraud", "1")
        register(server, "fraud", "2")
        yield server


@pytest.fixture
def ml(server, monkeypatch):
    server.settings(monkeypatch, OWNER)
    return server.ml_client()


@pytest.fixture
def endpoint(server) -> str:
    name = next(names)
    assert put_endpoint(server, name).status_code == 201
    settle(server, f"onlineEndpoints/{name}")
    return name


def register(server: Server, name: str, version: str, **tags: str) -> None:
    body = {"properties": {"modelUri": MODEL, "modelType": "mlflow_model", "tags": tags}}
    assert server.call("PUT", f"models/{name}/versions/{version}", json=body).status_code == 201


def put_endpoint(server: Server, name: str, **properties: Any):
    body = {"location": "westeurope", "properties": {"authMode": "Key", **properties}}
    return server.call("PUT", f"onlineEndpoints/{name}", json=body)


def put_deployment(
    server: Server, endpoint: str, name: str, model: str = "fraud/versions/1", **properties: Any
):
    properties = {
        "endpointComputeType": "Managed",
        "instanceType": "Standard_DS3_v2",
        "model": f"{server.manager.workspace_id}/models/{model}",
        **properties,
    }
    body = {"location": "westeurope", "properties": properties, "sku": {"name": "Default", "capacity": 1}}
    return server.call("PUT", f"onlineEndpoints/{endpoint}/deployments/{name}", json=body)


def settle(server: Server, path: str) -> str:
    def state() -> str:
        found = server.call("GET", path).json()["properties"]["provisioningState"]
        return "" if found in ("Creating", "Updating", "Scaling", "Deleting") else found

    return until(state)


def deploy(server: Server, endpoint: str, name: str, model: str = "fraud/versions/1") -> str:
    assert put_deployment(server, endpoint, name, model).status_code in (200, 201)
    return settle(server, f"onlineEndpoints/{endpoint}/deployments/{name}")


def route(server: Server, endpoint: str, **properties: Any) -> None:
    assert put_endpoint(server, endpoint, **properties).status_code == 200
    assert settle(server, f"onlineEndpoints/{endpoint}") == "Succeeded"


def error(response) -> dict[str, Any]:
    return response.json()["error"]


def score(server: Server, endpoint: str, **options: Any):
    keys = server.call("POST", f"onlineEndpoints/{endpoint}/listKeys").json()
    headers = {"Authorization": f"Bearer {keys['primaryKey']}", **options.pop("headers", {})}
    options = {"json": {"input_data": [[1, 2], [3, 4]]}} | options
    return server.call("POST", f"/inference/{endpoint}/score", headers=headers, **options)


@pytest.mark.slow
@sdk
def test_a_model_goes_from_registration_to_answers(server, ml) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint

    name = next(names)
    ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    deployment = ManagedOnlineDeployment(
        name="blue",
        endpoint_name=name,
        model="azureml:fraud:1",
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    assert ml.online_deployments.begin_create_or_update(deployment).result().provisioning_state == "Succeeded"
    endpoint = ml.online_endpoints.get(name)
    assert endpoint.traffic == {"blue": 0}  # the SDK adds the deployments that have none
    endpoint.traffic = {"blue": 100}
    assert ml.online_endpoints.begin_create_or_update(endpoint).result().traffic == {"blue": 100}
    assert score(server, name).json()["deployment"] == "blue"
    assert "ready to serve" in ml.online_deployments.get_logs("blue", name, lines=5)
    ml.online_endpoints.begin_delete(name).result()
    assert server.call("GET", f"onlineEndpoints/{name}/deployments/blue").status_code == 404


@pytest.mark.slow
@sdk
def test_a_failed_operation_reaches_the_sdk_with_its_code(server, ml, endpoint) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment
    from azure.core.exceptions import HttpResponseError

    server.fault(match="PUT .*/deployments/bad$", fail_operation={"code": "OutOfQuota"})
    deployment = ManagedOnlineDeployment(
        name="bad", endpoint_name=endpoint, model="azureml:fraud:1", instance_type="Standard_DS3_v2"
    )
    with pytest.raises(HttpResponseError) as failed:
        ml.online_deployments.begin_create_or_update(deployment).result()
    assert failed.value.error
    assert failed.value.error.code == "OutOfQuota"
    assert ml.online_deployments.get("bad", endpoint).provisioning_state == "Failed"
    assert error(put_endpoint(server, endpoint, traffic={"bad": 100}))["code"] == "UserError"


def test_missing_things_answer_as_azure_does(server) -> None:
    response = server.call("GET", "onlineEndpoints/nowhere")
    assert (response.status_code, error(response)["code"]) == (404, "NotFound")
    assert {row["type"] for row in error(response)["additionalInfo"]} >= {"ComponentName", "Correlation"}
    assert server.call("DELETE", "onlineEndpoints/nowhere").status_code == 204
    assert error(server.call("GET", "models/fraud/versions/99"))["code"] == "UserError"


def test_an_operation_is_followed_at_the_subscription(server) -> None:
    name = next(names)
    response = put_endpoint(server, name)
    url = response.headers["Azure-AsyncOperation"].removeprefix(server.manager.base_url).split("?")[0]
    assert int(response.headers["Retry-After"]) >= 1
    assert "/resourceGroups/" not in url
    until(lambda: server.call("GET", url).json()["status"] == "Succeeded")
    assert server.call("GET", f"{url}x").status_code == 404


def test_one_operation_at_a_time(tmp_path) -> None:
    with serving(tmp_path, speed=100) as server:
        put_endpoint(server, "slow")
        for response in (put_endpoint(server, "slow"), put_deployment(server, "slow", "blue")):
            assert response.status_code == 409
            assert "because it is in Creating provisioning state" in error(response)["message"]
        settle(server, "onlineEndpoints/slow")
        register(server, "fraud", "1")
        put_deployment(server, "slow", "blue")
        assert put_deployment(server, "slow", "green").status_code == 409
        assert put_endpoint(server, "slow").status_code == 409
        assert server.call("DELETE", "onlineEndpoints/slow").status_code == 409


def test_names_and_paths_compare_without_case(server, endpoint) -> None:
    path = f"{server.manager.workspace_id.upper()}/ONLINEENDPOINTS/{endpoint.upper()}"
    assert server.call("GET", path).json()["name"] == endpoint


@pytest.mark.parametrize("name", ["ab", "1abc", "a--b", "a_b", "abc-", "a" * 33, "a.b.c"])
def test_names_that_azure_refuses(server, endpoint, name) -> None:
    assert put_endpoint(server, name).status_code == 400
    assert put_deployment(server, endpoint, name).status_code == 400


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"traffic": {"blue": 60}}, "must be 0 or 100"),
        ({"traffic": {"nobody": 100}}, "nobody in the traffic rules does not exist"),
        ({"traffic": {"blue": 150, "green": -50}}, "must be from 0 to 100"),
        ({"traffic": {"blue": 100}, "mirrorTraffic": {"green": 51}}, "must be from 0 to 50"),
        ({"traffic": {"blue": 100}, "mirrorTraffic": {"blue": 10}}, "live and mirror traffic at once"),
        ({"mirrorTraffic": {"blue": 10, "green": 10}}, "one deployment only"),
    ],
)
def test_traffic_that_azure_refuses(server, two, properties, said) -> None:
    response = put_endpoint(server, two, **properties)
    assert response.status_code == 400
    assert said in error(response)["message"]
    assert error(response)["details"][0]["code"] == "InferencingClientCallFailed"


@pytest.fixture(scope="module")
def two(server) -> str:
    put_endpoint(server, "two-deployments")
    settle(server, "onlineEndpoints/two-deployments")
    deploy(server, "two-deployments", "blue")
    deploy(server, "two-deployments", "green", "fraud/versions/2")
    return "two-deployments"


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"model": "fraud/versions/99"}, "versions/99 was not found"),
        (
            {"environmentId": "{ws}/environments/none/versions/1"},
            "environments/none/versions/1 was not found",
        ),
        ({"instanceType": None}, "InstanceType is required"),
        ({"model": "plain/versions/1"}, "An environment is required"),
    ],
)
def test_deployments_that_azure_refuses(server, endpoint, properties, said) -> None:
    plain = {"properties": {"modelUri": MODEL}}
    server.call("PUT", "models/plain/versions/1", json=plain)
    filled: dict[str, Any] = {
        key: value.replace("{ws}", server.manager.workspace_id) if value else None
        for key, value in properties.items()
    }
    response = put_deployment(server, endpoint, "blue", **filled)
    assert response.status_code == 400
    assert said in error(response)["message"]


def test_a_deployment_with_traffic_stays(server, two) -> None:
    route(server, two, traffic={"blue": 100}, mirrorTraffic={"green": 10})
    for name in ("blue", "green"):
        response = server.call("DELETE", f"onlineEndpoints/{two}/deployments/{name}")
        assert response.status_code == 400
        assert "receiving traffic" in error(response)["message"]


def test_twenty_deployments_are_the_limit(server, endpoint) -> None:
    for number in range(20):
        assert deploy(server, endpoint, f"d-{number}") == "Succeeded"
    assert "limit" in error(put_deployment(server, endpoint, "d-20"))["message"]
    response = server.call("DELETE", f"onlineEndpoints/{endpoint}/deployments/d-0")
    result = response.headers["Location"].removeprefix(server.manager.base_url).split("?")[0]
    assert response.status_code == 202
    until(lambda: server.call("GET", result).status_code == 204)
    assert deploy(server, endpoint, "d-20") == "Succeeded"


def test_a_failed_traffic_update_leaves_the_old_map(server, two) -> None:
    route(server, two, traffic={"blue": 100})
    server.fault(match=f"PUT .*/onlineEndpoints/{two}$", fail_operation={"code": "InternalServerError"})
    put_endpoint(server, two, traffic={"green": 100})
    assert settle(server, f"onlineEndpoints/{two}") == "Failed"
    shown = server.call("GET", f"onlineEndpoints/{two}").json()
    assert shown["properties"]["traffic"] == {"blue": 100}
    assert score(server, two).json()["deployment"] == "blue"
    assert put_deployment(server, two, "red").status_code == 400
    route(server, two, traffic={"green": 100})
    assert score(server, two).json()["deployment"] == "green"


def test_an_update_lets_the_old_model_serve_until_the_new_one_is_ready(server, two) -> None:
    route(server, two, traffic={"blue": 100})
    server.fault(match=f"PUT .*/{two}/deployments/blue$", fail_operation={"code": "ResourceNotReady"})
    put_deployment(server, two, "blue", "fraud/versions/2")
    assert settle(server, f"onlineEndpoints/{two}/deployments/blue") == "Failed"
    assert score(server, two).json()["version"] == "1"
    assert deploy(server, two, "blue", "fraud/versions/2") == "Succeeded"
    assert score(server, two).json()["version"] == "2"
    assert deploy(server, two, "blue") == "Succeeded"


def test_a_deployment_is_scaled_and_tagged(server, endpoint) -> None:
    deploy(server, endpoint, "blue")
    path = f"onlineEndpoints/{endpoint}/deployments/blue"
    response = server.call("PATCH", path, json={"sku": {"capacity": 3}, "tags": {"keep": "yes"}})
    assert response.status_code == 202
    result = response.headers["Location"].removeprefix(server.manager.base_url).split("?")[0]
    until(lambda: server.call("GET", result).status_code == 204)
    found = server.call("GET", path).json()
    assert found["sku"] == {"name": "Default", "capacity": 3}
    assert (found["tags"], found["properties"]["provisioningState"]) == ({"keep": "yes"}, "Succeeded")


def test_requests_follow_weights_the_header_and_the_mirror(server, two) -> None:
    route(server, two, traffic={"blue": 90, "green": 10})
    answers = [score(server, two).json()["deployment"] for _ in range(20)]
    assert answers.count("green") == 2
    assert score(server, two, headers={"azureml-model-deployment": "green"}).json()["version"] == "2"
    missing = score(server, two, headers={"azureml-model-deployment": "red"})
    assert missing.status_code == 404
    route(server, two, traffic={"blue": 100}, mirrorTraffic={"green": 50})
    before = counts(server, f"{two}/green").get("mirrored", 0)
    for _ in range(10):
        score(server, two)
    assert counts(server, f"{two}/green")["mirrored"] - before == 5


def counts(server: Server, key: str) -> dict[str, int]:
    return server.call("GET", "/_sandbox/scores").json()["counts"].get(key, {})


def test_scoring_needs_a_key_a_deployment_and_json(server, endpoint) -> None:
    assert score(server, endpoint, headers={"Authorization": "Bearer no"}).status_code == 401
    nobody = score(server, endpoint)
    assert (nobody.status_code, error(nobody)["message"][:18]) == (404, "The endpoint doesn")
    deploy(server, endpoint, "blue")
    header = {"azureml-model-deployment": "blue"}
    first, second = (score(server, endpoint, headers=header).json() for _ in range(2))
    assert first == second
    assert len(first["predictions"]) == 2
    broken = score(server, endpoint, headers=header, json=None, data="{")
    assert broken.status_code == 424
    assert broken.headers["ms-azureml-model-error-statuscode"] == "400"


def test_a_deployment_that_is_not_ready_answers_503(tmp_path) -> None:
    with serving(tmp_path, speed=400) as server:
        register(server, "fraud", "1")
        put_endpoint(server, "slow")
        settle(server, "onlineEndpoints/slow")
        put_deployment(server, "slow", "blue")
        assert score(server, "slow", headers={"azureml-model-deployment": "blue"}).status_code == 503


def test_a_bad_model_fails_as_often_as_its_tag_says(server, endpoint) -> None:
    register(server, "bad", "1", **{"sandbox.error_rate": "0.5"})
    deploy(server, endpoint, "bad", "bad/versions/1")
    header = {"azureml-model-deployment": "bad"}
    statuses = [score(server, endpoint, headers=header).status_code for _ in range(6)]
    assert sorted(statuses) == [200, 200, 200, 424, 424, 424]


def test_keys_change_and_tokens_are_for_token_endpoints(server, endpoint) -> None:
    path = f"onlineEndpoints/{endpoint}"
    before = server.call("POST", f"{path}/listKeys").json()
    assert server.call("POST", f"{path}/regenerateKeys", json={"keyType": "Primary"}).status_code == 202
    until(lambda: server.call("POST", f"{path}/listKeys").json()["primaryKey"] != before["primaryKey"])
    assert server.call("POST", f"{path}/listKeys").json()["secondaryKey"] == before["secondaryKey"]
    assert server.call("POST", f"{path}/token").status_code == 400
    name = next(names)
    put_endpoint(server, name, authMode="AMLToken")
    token = server.call("POST", f"onlineEndpoints/{name}/token").json()
    assert token["refreshAfterTimeUtc"] < token["expiryTimeUtc"]
    assert put_endpoint(server, name, authMode="Key").status_code in (400, 409)


def test_what_is_put_is_read_back_with_what_azure_adds(server) -> None:
    name = next(names)
    body = {
        "location": "West Europe",
        "tags": {"mlevents.rule": "r"},
        "properties": {"authMode": "Key", "properties": {"own": "1"}},
    }
    server.call("PUT", f"onlineEndpoints/{name}", json=body)
    settle(server, f"onlineEndpoints/{name}")
    first = server.call("GET", f"onlineEndpoints/{name}").json()
    assert first["tags"] == body["tags"]
    assert first["properties"]["properties"]["own"] == "1"
    assert first["properties"]["scoringUri"].startswith(server.manager.base_url)
    server.call("PUT", f"onlineEndpoints/{name}", json={**body, "tags": {}})
    settle(server, f"onlineEndpoints/{name}")
    second = server.call("GET", f"onlineEndpoints/{name}").json()
    assert second["tags"] == {}
    assert second["identity"]["principalId"] == first["identity"]["principalId"]
    elsewhere = {**body, "location": "northeurope"}
    assert server.call("PUT", f"onlineEndpoints/{name}", json=elsewhere).status_code == 409


@given(shares=st.lists(st.integers(0, 100), min_size=1, max_size=5))
def test_in_each_round_everybody_gets_exactly_their_share(shares) -> None:
    turns, wanted = WeightedRouting(), {f"d{number}": share for number, share in enumerate(shares)}
    dealt = [turns.choose("ep", wanted) for _ in range(sum(shares))]
    assert {name: dealt.count(name) for name in wanted} == wanted


CLUSTER = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/k"
)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose operations take long enough to be looked at."""
    with serving(tmp_path_factory.mktemp("ca"), speed=1200) as running:
        register(running, "fraud", "1")
        yield running


def state(server: Server, path: str) -> str:
    return server.call("GET", f"onlineEndpoints/{path}").json()["properties"]["provisioningState"]


def test_traffic_that_moves_is_seen_and_holds_off_everything_else(calm) -> None:
    assert put_endpoint(calm, "moving").status_code == 201
    settle(calm, "onlineEndpoints/moving")
    deploy(calm, "moving", "blue")
    calm.manager.pace.speed = 60
    try:
        assert put_endpoint(calm, "moving", traffic={"BLUE": 100}).status_code == 200
        assert state(calm, "MOVING") == "Updating"
        for answer in (
            put_endpoint(calm, "Moving", traffic={}),
            put_deployment(calm, "moving", "green"),
            calm.call("DELETE", "onlineEndpoints/moving/deployments/blue"),
            calm.call("PATCH", "onlineEndpoints/moving/deployments/blue", json={"sku": {"capacity": 2}}),
            calm.call("POST", "onlineEndpoints/moving/regenerateKeys", json={"keyType": "Primary"}),
            calm.call("DELETE", "onlineEndpoints/moving"),
        ):
            assert answer.status_code == 409
            assert "because it is in Updating provisioning state" in error(answer)["message"]
    finally:
        calm.manager.pace.speed = 1200
    assert settle(calm, "onlineEndpoints/moving") == "Succeeded"
    found = calm.call("GET", "onlineEndpoints/moving").json()["properties"]["traffic"]
    assert found == {"blue": 100}, "under the deployment's own name"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_deployment_that_is_scaled_reads_scaling(calm, method) -> None:
    name = f"scaled-{method.lower()}"
    put_endpoint(calm, name)
    settle(calm, f"onlineEndpoints/{name}")
    deploy(calm, name, "blue")
    path = f"onlineEndpoints/{name}/deployments/blue"
    body = calm.call("GET", path).json()
    body = {
        "location": body["location"],
        "properties": body["properties"],
        "sku": {**body["sku"], "capacity": 3},
    }
    sent = body if method == "PUT" else {"sku": {"capacity": 3}}
    assert calm.call(method, path, json=sent).status_code in (200, 202)
    assert state(calm, f"{name}/deployments/BLUE") == "Scaling"
    refused = put_endpoint(calm, name, traffic={"blue": 100})
    assert refused.status_code == 409
    assert "because deployment blue is in Scaling provisioning state" in error(refused)["message"]
    assert settle(calm, path) == "Succeeded"
    assert calm.call("GET", path).json()["sku"]["capacity"] == 3


def test_a_deployment_that_gets_another_model_is_updated_not_scaled(calm) -> None:
    put_endpoint(calm, "changed")
    settle(calm, "onlineEndpoints/changed")
    deploy(calm, "changed", "blue")
    assert put_deployment(calm, "changed", "blue", instanceType="Standard_F4s_v2").status_code == 200
    assert state(calm, "changed/deployments/blue") == "Updating"
    settle(calm, "onlineEndpoints/changed/deployments/blue")


@pytest.mark.parametrize(("compute", "kind"), [(CLUSTER, "Managed"), (None, "Kubernetes")])
def test_a_deployment_of_the_other_kind_of_compute_is_refused(server, compute, kind) -> None:
    name = next(names)
    assert put_endpoint(server, name, compute=compute).status_code == 201
    settle(server, f"onlineEndpoints/{name}")
    answer = put_deployment(server, name, "blue", endpointComputeType=kind)
    assert answer.status_code == 400
    assert f"endpointComputeType is {kind}" in error(answer)["message"]
    assert server.call("GET", f"onlineEndpoints/{name}/deployments/blue").status_code == 404


def test_a_kubernetes_deployment_fits_a_kubernetes_endpoint(server) -> None:
    name = next(names)
    put_endpoint(server, name, compute=CLUSTER)
    settle(server, f"onlineEndpoints/{name}")
    assert put_deployment(server, name, "blue", endpointComputeType="Kubernetes").status_code == 201


def test_names_compare_without_case(server, endpoint) -> None:
    deploy(server, endpoint, "Blue")
    shouted = endpoint.upper()
    assert put_deployment(server, shouted, "BLUE").status_code == 200, "it is there already"
    settle(server, f"onlineEndpoints/{endpoint}/deployments/blue")
    listed = server.call("GET", f"ONLINEENDPOINTS/{shouted}/Deployments").json()["value"]
    assert [one["name"] for one in listed] == ["Blue"]
    assert error(put_endpoint(server, endpoint, traffic={"blue": 50, "BLUE": 50}))["code"] == "UserError"
    route(server, shouted, traffic={"bLUE": 100})
    answer = put_endpoint(server, endpoint, traffic={"blue": 100}, mirrorTraffic={"BLUE": 10})
    assert "live and mirror traffic" in error(answer)["message"]
    deleted = server.call("DELETE", f"onlineEndpoints/{endpoint}/deployments/bluE")
    assert "receiving traffic" in error(deleted)["message"]
    assert score(server, shouted).json()["deployment"] == "Blue"
    place = server.manager.workspace_id
    assert server.call("GET", place.upper().replace("MICROSOFT", "Microsoft")).status_code == 200
