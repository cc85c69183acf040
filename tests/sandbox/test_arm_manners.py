"""What Resource Manager itself insists on: tokens, api-versions, places that exist."""

import time

import pytest
import requests

from sandbox.pace import Pace


def error(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "AuthenticationFailed"),
        ("Bearer nonsense", "InvalidAuthenticationToken"),
        ("Bearer e30.e30.", "InvalidAuthenticationToken"),
        ("Basic abc", "InvalidAuthenticationToken"),
    ],
)
def test_calls_without_an_own_token_are_refused(server, authorization, code) -> None:
    response = server.call("GET", "", headers={"Authorization": authorization})
    assert error(response) == (401, code)
    assert response.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_for_somebody_else_is_refused(server) -> None:
    token = server.identity.token("https://storage.azure.com")
    response = server.call("GET", "", headers={"Authorization": f"Bearer {token}"})
    assert error(response) == (401, "InvalidAuthenticationTokenAudience")


def test_tokens_for_this_server_and_for_azure_are_taken(server) -> None:
    for audience in (server.manager.base_url, "https://management.core.windows.net/"):
        token = server.identity.token(audience)
        assert server.call("GET", "", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_the_api_version_is_required(server) -> None:
    response = server.call("GET", server.manager.workspace_id, params={"api-version": None})
    assert error(response) == (400, "MissingApiVersionParameter")
    response = server.call("GET", server.manager.workspace_id, params={"api-version": "latest"})
    assert error(response) == (400, "InvalidApiVersionParameter")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("00000000-0000-0000-0000-000000000000", "1", "SubscriptionNotFound"),
        ("rg-ml", "rg-none", "ResourceGroupNotFound"),
        ("rg-ml", "rg-data", "ResourceNotFound"),
        ("ml-prod", "ml-none", "ResourceNotFound"),
    ],
)
def test_places_that_do_not_exist(server, old, new, code) -> None:
    assert error(server.call("GET", server.manager.workspace_id.replace(old, new, 1))) == (404, code)


def test_a_body_that_is_no_json_is_refused(server) -> None:
    assert error(server.call("PUT", "jobs/j", data="{")) == (400, "InvalidRequestContent")


def test_a_gap_in_the_sandbox_says_so(server) -> None:
    response = server.call("POST", "codes/c/versions/1/startPendingUpload")
    assert error(response) == (404, "NotImplementedInSandbox")
    assert "POST" in response.json()["error"]["message"]
    assert "startPendingUpload" in response.json()["error"]["message"]


def test_requests_are_written_down(server) -> None:
    server.call("GET", "onlineEndpoints/written-down")
    entry = server.call("GET", "/_sandbox/requests").json()[-1]
    assert (entry["method"], entry["status"]) == ("GET", 404)
    assert entry["path"].endswith("/onlineEndpoints/written-down")
    assert entry["query"] == {"api-version": "2024-10-01"}
    assert server.call("DELETE", "/_sandbox/requests").status_code == 204
    assert server.call("GET", "/_sandbox/requests").json() == []


def test_the_cloud_describes_itself_without_a_token(server) -> None:
    response = server.call("GET", "/metadata/endpoints", headers={"Authorization": ""})
    assert response.json()[0]["resourceManager"] == f"{server.manager.base_url}/"


def test_public_authorities_stay_trusted(server) -> None:
    text = server.certificates.ca.read_text()
    assert text.count("BEGIN CERTIFICATE") > 50
    assert "PRIVATE KEY" not in text


def test_strangers_do_not_trust_the_sandbox(server) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(server.manager.base_url, timeout=5)


async def nap(pace: Pace) -> float:
    started = time.perf_counter()
    await pace.sleep(60)
    return time.perf_counter() - started


def test_a_minute_passes_in_a_blink() -> None:
    import asyncio

    assert asyncio.run(nap(Pace(6000))) < 1
    assert Pace(60).seconds(120) == 2
    with pytest.raises(ValueError, match="the speed is 0"):
        Pace(0)
