"""Managed identity: both forms of the endpoint, and the real azure-identity."""

import pytest
import requests

from sandbox.azure.identity import Identity, TokenError
from tests.sandbox.arm_server import Server

ARM = "https://management.azure.com"


def ask(server: Server, path: str = "/msi/token", **headers: str) -> requests.Response:
    query = {"resource": ARM, "api-version": "2019-08-01"}
    return requests.get(server.identity_url + path, params=query, headers=headers, timeout=10)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK, at import
def test_the_real_credential_gets_a_token(server, monkeypatch) -> None:
    from azure.identity import ManagedIdentityCredential

    server.settings(monkeypatch)
    token = ManagedIdentityCredential().get_token(f"{ARM}/.default").token
    assert server.identity.check(f"Bearer {token}", [ARM])["aud"] == ARM


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK, at import
def test_the_real_credential_gets_a_token_as_on_a_virtual_machine(server, monkeypatch) -> None:
    from azure.identity import ManagedIdentityCredential

    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.identity_url)
    token = ManagedIdentityCredential().get_token(f"{ARM}/.default").token
    assert server.identity.check(f"Bearer {token}", [ARM])


def test_the_header_is_required(server) -> None:
    assert ask(server).status_code == 401
    assert ask(server, **{"X-IDENTITY-HEADER": "guess"}).status_code == 403
    assert ask(server, "/metadata/identity/oauth2/token").status_code == 400
    assert ask(server, "/metadata/identity/oauth2/token", Metadata="true").status_code == 200


def test_the_answer_has_the_fields_of_app_service(server) -> None:
    answer = ask(server, **{"X-IDENTITY-HEADER": server.identity.header}).json()
    assert (answer["resource"], answer["token_type"]) == (ARM, "Bearer")
    assert int(answer["expires_on"]) > 0
    assert len(answer["access_token"].split(".")) == 3


def test_another_identity_must_be_assigned(server) -> None:
    query = {"resource": ARM, "api-version": "2019-08-01", "client_id": "somebody"}
    headers = {"X-IDENTITY-HEADER": server.identity.header}
    url = f"{server.identity_url}/msi/token"
    assert requests.get(url, params=query, headers=headers, timeout=10).status_code == 400


def test_a_token_expires_and_a_new_one_is_issued() -> None:
    now = [1_000_000.0]
    identity = Identity(lifetime=3600, clock=lambda: now[0])
    token = identity.token(ARM)
    assert identity.token(ARM) == token
    now[0] += 3400
    assert identity.token(ARM) != token
    assert identity.check(f"Bearer {token}", [ARM])
    now[0] += 300
    with pytest.raises(TokenError) as refused:
        identity.check(f"Bearer {token}", [ARM])
    assert refused.value.code == "ExpiredAuthenticationToken"
