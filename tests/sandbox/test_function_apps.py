"""A deployed app is found through Azure's real client: its address, its key, and how people sign in to it."""

from collections.abc import Iterator

import pytest

from mlevents.errors import ConfigError, RefusedError
from mlevents.services import arm_client, azure_credential
from mlevents.services.arm_client import ArmClient
from mlevents.services.function_app import FunctionAppReader, read_audience
from sandbox.azure.event_subscriptions import APP_ID
from sandbox.azure.identity import APP, OWNER
from sandbox.azure.web_sites import WebSite
from tests.sandbox.arm_server import Server, serving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
SUBSCRIPTION = APP_ID.split("/")[2]
AUDIENCE = "api://11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("arm")) as running:
        running.manager.web_sites.app.host = "mlevents.azurewebsites.net"
        yield running


@pytest.fixture
def reader(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionAppReader]:
    """A reader that is signed in as a person."""
    server.settings(monkeypatch, OWNER)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    forget()
    yield FunctionAppReader(ArmClient(server.manager.base_url), SUBSCRIPTION)
    server.call("DELETE", "/_sandbox/permissions")
    server.manager.web_sites.app.audience = ""
    forget()


def forget() -> None:
    azure_credential._credential.cache_clear()
    arm_client._pipeline.cache_clear()


def allow(server: Server, *actions: str) -> None:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    body = {"permissions": [{"actions": list(actions)}], "scope": scope, "who": OWNER}
    assert server.call("POST", "/_sandbox/permissions", json=body).status_code == 204


def test_an_app_is_found_by_its_name_without_case(server, reader):
    found = reader.open("MLEvents-Sandbox")
    assert found.url == "https://mlevents.azurewebsites.net"
    assert found.key == server.manager.web_sites.app.function_keys["default"]
    assert found.token == ""


def test_a_key_that_the_caller_has_is_not_read(server, reader):
    allow(server, "Microsoft.Web/sites/read", "Microsoft.Web/sites/config/read")
    assert reader.open("mlevents-sandbox", "my-key").key == "my-key"


def test_a_name_that_no_app_has_names_the_nearest(server, reader):
    server.manager.web_sites.sites.append(WebSite(id=APP_ID.replace("mlevents", "shop"), kind="app,linux"))
    with pytest.raises(ConfigError, match="mlevents-sandbox") as refused:
        reader.open("mlevents-sandbx")
    assert "shop" not in str(refused.value)


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        (["Microsoft.Resources/*"], "Microsoft.Web/sites/read"),
        (["Microsoft.Web/sites/read"], "Microsoft.Web/sites/config/read"),
        (
            ["Microsoft.Web/sites/read", "Microsoft.Web/sites/config/read"],
            "Microsoft.Web/sites/host/listKeys",
        ),
    ],
)
def test_a_right_that_is_missing_is_named(server, reader, actions, says):
    allow(server, *actions)
    with pytest.raises(RefusedError, match=says):
        reader.open("mlevents-sandbox")


def test_where_people_sign_in_a_token_is_sent_too(server, reader):
    server.manager.web_sites.app.audience = AUDIENCE
    found = reader.open("mlevents-sandbox")
    assert server.identity.check(f"Bearer {found.token}", [AUDIENCE])["aud"] == AUDIENCE
    assert found.key
    allow(server, "Microsoft.Web/sites/read", "Microsoft.Web/sites/config/read")
    assert reader.open("mlevents-sandbox").key == ""


def test_the_identity_of_the_app_may_not_read_its_own_keys(server, reader):
    assert not server.manager.rights.allowed(APP, "Microsoft.Web/sites/host/listKeys/action", APP_ID)


@pytest.mark.parametrize(
    ("enabled", "entra", "audience"),
    [
        (True, {}, ""),
        (False, {"registration": {"clientId": "c"}}, ""),
        (True, {"registration": {"clientId": "c"}}, "api://c"),
        (True, {"enabled": False, "registration": {"clientId": "c"}}, ""),
        (
            True,
            {"validation": {"allowedAudiences": ["api://x"]}, "registration": {"clientId": "c"}},
            "api://x",
        ),
    ],
)
def test_the_audience_of_a_token_is_that_of_the_settings(enabled, entra, audience):
    settings = {"platform": {"enabled": enabled}, "identityProviders": {"azureActiveDirectory": entra}}
    assert read_audience(settings) == audience
    assert read_audience({}) == ""
