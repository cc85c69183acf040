"""Who is recorded for a verb: a principal only where App Service itself has checked it."""

import base64
import json

import pytest

from mlevents.api.caller import KEY_HOLDER, identify_caller

ON = {"WEBSITE_AUTH_ENABLED": "True"}
PRINCIPAL = base64.b64encode(
    json.dumps({"name_typ": "name", "claims": [{"typ": "name", "val": "Ada"}]}).encode()
).decode()


@pytest.mark.parametrize("environment", [{}, {"WEBSITE_AUTH_ENABLED": "False"}, {"WEBSITE_AUTH_ENABLED": ""}])
def test_a_client_cannot_forge_a_principal_where_authentication_is_off(environment: dict[str, str]):
    forged = {"x-ms-client-principal-name": "ceo@contoso.com", "x-ms-client-principal": PRINCIPAL}
    assert identify_caller(forged, environment) == KEY_HOLDER


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"x-ms-client-principal-name": "ada@x.org", "x-ms-client-principal-id": "1"}, "ada@x.org (1)"),
        ({"x-ms-client-principal": PRINCIPAL}, "Ada"),
        ({"x-ms-client-principal": "no base64", "x-ms-client-principal-id": "1"}, "1"),
        ({"x-ms-client-principal": base64.b64encode(b"[]").decode()}, KEY_HOLDER),
        ({}, KEY_HOLDER),
    ],
)
def test_the_principal_that_app_service_vouches_for_is_named(headers: dict[str, str], name: str):
    assert identify_caller(headers, ON) == name
