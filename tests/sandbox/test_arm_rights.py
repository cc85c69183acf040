"""Who may do what: the app what its rules need, at just those scopes; a person everything."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from sandbox.azure.identity import APP, OWNER, PRINCIPAL
from sandbox.azure.rights.assignments import COMMUNICATION_ID, MAIL, Assignment, Rights, RuleRights
from sandbox.azure.rights.requested_actions import INVOKE, OPERATIONS, requested_actions
from sandbox.azure.workspace import FACTORY_ID, SUBSCRIPTION, WORKSPACE_ID
from tests.sandbox.arm_server import Server, until

ROOT = Path(__file__).resolve().parents[2]
ML = "Microsoft.MachineLearningServices/workspaces"
ENVIRONMENT = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "TEAMS_WORKFLOW_URL": "json://x"}
ENDPOINT = {"location": "westeurope", "properties": {"authMode": "AADToken"}}
RULES = f"""\
version: 1
workspaces: {{prod: {WORKSPACE_ID.upper().replace("MICROSOFT.MACHINELEARNINGSERVICES", "Microsoft.MachineLearningServices")}}}
connections:
  retraining: {{type: data_factory, id: "{FACTORY_ID}"}}
  mail: {{type: email, endpoint: "https://x.example.com", sender: a@example.com, to: [b@example.com]}}
rules:
  - {{id: retrain, event: drift.detected, do: [{{uses: run_data_factory_pipeline, with: {{connection: retraining, pipeline: p}}}}]}}
"""  # noqa: E501


def as_app(
    server: Server, method: str, path: str, audience: str = "https://management.azure.com", **more: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {server.identity.token(audience)}"}
    return server.call(method, path, headers=headers, **more)


@pytest.fixture
def without(server: Server) -> Iterator[Any]:
    """Take actions away from the app for one test."""

    def take(*actions: str) -> None:
        body = {"permissions": [{"actions": ["*"], "notActions": list(actions)}]}
        assert server.call("POST", "/_sandbox/permissions", json=body).status_code == 204

    yield take
    server.call("DELETE", "/_sandbox/permissions")


def test_every_route_asks_for_a_published_operation(server: Server) -> None:
    """An operation that does not exist could be in no role, so the app could never be allowed it."""
    asked = {
        (route.method, path, one.action)
        for route in server.manager._routes._routes
        for path in [re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "x", route.path.pattern).replace("\\", "")]
        for one in requested_actions(route.method, path)
    }
    assert len(asked) > 50
    unknown = [one for one in asked if one[2] not in OPERATIONS.values()]
    assert [one for one in unknown if not one[2].startswith("Microsoft.Resources/")] == []


@pytest.mark.parametrize(
    ("method", "tail", "action", "scope"),
    [
        ("GET", "", f"{ML}/read", ""),
        ("GET", "/onlineEndpoints", f"{ML}/onlineEndpoints/read", ""),
        ("PUT", "/onlineendpoints/e", f"{ML}/onlineEndpoints/write", "/onlineendpoints/e"),
        ("PATCH", "/onlineEndpoints/e", f"{ML}/onlineEndpoints/write", "/onlineEndpoints/e"),
        (
            "POST",
            "/onlineEndpoints/e/listKeys",
            f"{ML}/onlineEndpoints/listKeys/action",
            "/onlineEndpoints/e",
        ),
        (
            "POST",
            "/onlineEndpoints/e/deployments/d/getLogs",
            f"{ML}/onlineEndpoints/deployments/getLogs/action",
            "/onlineEndpoints/e/deployments/d",
        ),
        ("GET", "/models/m/versions", f"{ML}/models/versions/read", "/models/m"),
        ("DELETE", "/jobs/j", f"{ML}/jobs/delete", "/jobs/j"),
        (
            "GET",
            "/onlineEndpoints/e/providers/microsoft.insights/metrics",
            "Microsoft.Insights/metrics/read",
            "/onlineEndpoints/e",
        ),
    ],
)
def test_a_request_asks_for_an_action_over_a_scope(method: str, tail: str, action: str, scope: str) -> None:
    [one] = requested_actions(method, WORKSPACE_ID + tail)
    assert (one.action, one.scope) == (action, WORKSPACE_ID + scope)


def test_what_no_role_allows_is_refused_in_azures_words(server: Server) -> None:
    answer = as_app(server, "DELETE", "onlineEndpoints/e")
    assert answer.status_code == 403
    assert answer.json()["error"] == {
        "code": "AuthorizationFailed",
        "message": f"The client '{PRINCIPAL}' with object id '{PRINCIPAL}' does not have authorization to "
        f"perform action '{ML}/onlineEndpoints/delete' over scope '{WORKSPACE_ID}/onlineEndpoints/e' or the "
        "scope is invalid. If access was recently granted, please refresh your credentials.",
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "models/m/versions/1"),
        ("PUT", f"{FACTORY_ID}/pipelines/p"),
        ("GET", FACTORY_ID),
        ("GET", WORKSPACE_ID.replace("ml-prod", "ml-other")),
        ("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/systemTopics"),
        (
            "GET",
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.Storage/storageAccounts",
        ),
        ("POST", "schedules/s/disable"),
    ],
)
def test_everything_else_is_refused_too(server: Server, method: str, path: str) -> None:
    assert as_app(server, method, path, json={}).status_code == 403
    assert server.call(method, path, json={}).status_code != 403, "a person may"


def test_rights_come_before_existence(server: Server, without: Any) -> None:
    assert as_app(server, "GET", "onlineEndpoints/none").status_code == 404
    without(f"{ML}/onlineEndpoints/read")
    assert as_app(server, "GET", "onlineEndpoints/none").status_code == 403


def test_the_status_of_an_operation_is_at_the_subscription_and_out_of_reach(server: Server) -> None:
    body = {"location": "westeurope", "properties": {"authMode": "Key"}}
    url = as_app(server, "PUT", "onlineEndpoints/lro", json=body).headers["Azure-AsyncOperation"]
    path = url.removeprefix(server.manager.base_url).partition("?")[0]
    answer = as_app(server, "GET", path)
    assert answer.status_code == 403
    assert f"mfeOperationsStatus/read' over scope '/subscriptions/{SUBSCRIPTION}/" in answer.text
    assert server.call("GET", path).status_code == 200


def test_an_identity_is_given_away_by_whom_may_assign_it(server: Server) -> None:
    place = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.ManagedIdentity"
    identity = f"{place}/userAssignedIdentities/scoring"
    given = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    refused = as_app(server, "PUT", "onlineEndpoints/given", json={**ENDPOINT, "identity": given})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    assert f"on the linked scope(s) '{identity.lower()}'" in refused.text
    assert server.call("GET", "onlineEndpoints/given").status_code == 404
    action = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
    body = {"permissions": [{"actions": [action]}], "scope": identity}
    server.call("POST", "/_sandbox/permissions", json=body)
    taken = as_app(server, "PUT", "onlineEndpoints/given", json={**ENDPOINT, "identity": given})
    assert taken.status_code == 201
    server.call("DELETE", "/_sandbox/permissions")
    until(
        lambda: (
            server.call("GET", "onlineEndpoints/given").json()["properties"]["provisioningState"][0] == "S"
        )
    )
    again = as_app(server, "PUT", "onlineEndpoints/given", json={**ENDPOINT, "identity": given})
    assert again.status_code == 200, "it has the identity already"


def test_the_data_plane_of_an_endpoint_asks_for_score(server: Server, without: Any) -> None:
    server.call("PUT", "onlineEndpoints/aad", json=ENDPOINT)
    score = ("POST", "/inference/aad/score", "https://ml.azure.com")
    assert as_app(server, *score, json={}).status_code == 404, "there is no deployment"
    without(f"{ML}/onlineEndpoints/score/action")
    assert as_app(server, *score, json={}).status_code == 403


@pytest.mark.parametrize("action", INVOKE)
def test_a_batch_endpoint_asks_for_microsofts_whole_list(server: Server, without: Any, action: str) -> None:
    invoke = ("POST", "/batch/retrain-batch/jobs", "https://ml.azure.com")
    body = {"properties": {"name": re.sub(r"\W", "-", action)}}
    without(action)
    refused = as_app(server, *invoke, json=body)
    assert refused.status_code == 403
    assert f"'{action}' over scope '{WORKSPACE_ID}/batchEndpoints/retrain-batch'" in refused.text


def test_a_query_of_runs_asks_for_the_action_and_for_the_read(server: Server) -> None:
    span = {"lastUpdatedAfter": "2030-01-01T00:00:00Z", "lastUpdatedBefore": "2030-01-02T00:00:00Z"}
    query = ("POST", f"{FACTORY_ID}/queryPipelineRuns")
    assert as_app(server, *query, json=span).status_code == 200
    for verb in ("action", "read"):
        body = {
            "permissions": [
                {
                    "actions": ["*"],
                    "notActions": [f"Microsoft.DataFactory/factories/querypipelineruns/{verb}"],
                }
            ]
        }
        server.call("POST", "/_sandbox/permissions", json=body)
        assert as_app(server, *query, json=span).status_code == 403
    server.call("DELETE", "/_sandbox/permissions")


def test_each_caller_is_told_what_it_has(server: Server) -> None:
    path = f"{WORKSPACE_ID}/providers/Microsoft.Authorization/permissions"
    [mine] = as_app(server, "GET", path).json()["value"]
    assert f"{ML}/onlineEndpoints/write" in mine["actions"]
    assert "*" not in mine["actions"]
    above = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions"
    refused = as_app(server, "GET", above)
    assert refused.status_code == 403
    assert "'Microsoft.Authorization/permissions/read'" in refused.json()["error"]["message"]
    [owners] = server.call("GET", path).json()["value"]
    assert owners["actions"] == ["*"]


def test_the_journal_says_who_asked(server: Server) -> None:
    server.call("DELETE", "/_sandbox/requests")
    as_app(server, "GET", "jobs")
    server.call("GET", "jobs")
    requests.get(f"{server.manager.base_url}/discovery", verify=str(server.certificates.ca), timeout=5)
    listed = server.call("GET", "/_sandbox/requests").json()
    assert [one["who"] for one in listed] == [APP, OWNER, ""]
    assert {"method", "path", "status", "who"} <= set(listed[0])


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    return file


def test_the_shipped_rules_give_exactly_what_the_doctor_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    told = CliRunner().invoke(build_app(), ["doctor", "--needs", "--json"], catch_exceptions=False)
    listed = {one["resource"]: tuple(one["actions"]) for one in json.loads(told.stdout)["resources"]}
    held = {one.scope: one.actions for one in RuleRights(ROOT / "rules.yaml", ENVIRONMENT)()}
    assert held == {**listed, COMMUNICATION_ID: (MAIL,)}
    assert set(listed) == {WORKSPACE_ID, FACTORY_ID}


def test_scopes_and_actions_compare_without_case(rules: Path) -> None:
    rules.write_text(
        RULES.replace(
            "run_data_factory_pipeline, with: {connection: retraining, pipeline: p}",
            "run_ml_pipeline, with: {component: a@latest}",
        )
    )
    rights = Rights(RuleRights(rules, {}))
    assert rights.allowed(APP, f"{ML}/JOBS/write", f"{WORKSPACE_ID.lower()}/jobs/j")
    assert not rights.allowed(APP, f"{ML}/jobs/write", f"{WORKSPACE_ID}-2/jobs/j"), "a longer name is another"


def test_rights_follow_the_rules(rules: Path) -> None:
    rights = Rights(RuleRights(rules, {}))
    create = "Microsoft.DataFactory/factories/pipelines/createrun/action"
    assert rights.allowed(APP, create, f"{FACTORY_ID}/pipelines/p")
    assert not rights.held(APP, WORKSPACE_ID)
    assert rights.allowed(APP, MAIL, COMMUNICATION_ID)
    rules.write_text(RULES.partition("rules:")[0].partition("  mail:")[0] + "rules: []\n")
    assert not rights.allowed(APP, create, f"{FACTORY_ID}/pipelines/p")
    assert not rights.allowed(APP, MAIL, COMMUNICATION_ID)


@pytest.mark.parametrize("text", ["version: 2\n", "rules: [", ""])
def test_rules_that_cannot_be_loaded_give_no_right(rules: Path, text: str) -> None:
    rights = Rights(RuleRights(rules, {}))
    assert rights.held(APP, FACTORY_ID)
    rules.write_text(text)
    assert not rights.held(APP, FACTORY_ID)
    assert rights.held(OWNER, FACTORY_ID) == [Assignment("", ("*",))]
    rules.unlink()
    assert not rights.held(APP, FACTORY_ID)


def test_the_owner_has_tokens_at_the_identity_endpoint(server: Server) -> None:
    query = {"resource": "https://management.azure.com", "api-version": "2019-08-01"}
    answer = requests.get(
        f"{server.identity_url}/msi/token", params=query, headers={"X-IDENTITY-HEADER": OWNER}, timeout=10
    )
    assert server.identity.who(f"Bearer {answer.json()['access_token']}") == OWNER
