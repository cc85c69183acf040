"""Who sends a request: an Entra principal where App Service authentication is on, else the holder of a key.

App Service sets `WEBSITE_AUTH_ENABLED` for the app when its authentication is on, and only then removes the
`X-MS-CLIENT-PRINCIPAL` headers of a client before it adds its own
(learn.microsoft.com/azure/app-service/configure-authentication-user-identities; the setting is read so by
Microsoft.Identity.Web, AppServicesAuthenticationInformation.cs). Without it these headers prove nothing. The
Functions host gives a Python function no name of the key that was used.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from typing import Any

KEY_HOLDER = "function key"
NAME_CLAIMS = ("preferred_username", "name", "upn", "appid", "azp", "oid")
_LONGEST_NAME = 200


def identify_caller(headers: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> str:
    """The name of who sends a request with these headers, whose names are in small letters."""
    if environment.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        return KEY_HOLDER
    identity = headers.get("x-ms-client-principal-id", "")
    name = headers.get("x-ms-client-principal-name") or _claimed_name(
        headers.get("x-ms-client-principal", "")
    )
    found = f"{name} ({identity})" if name and identity and name != identity else name or identity
    return " ".join(found.split())[:_LONGEST_NAME] or KEY_HOLDER


def _claimed_name(principal: str) -> str:
    """The name in the claims of a principal, which is JSON in base64; empty where there is none."""
    try:
        document: Any = json.loads(base64.b64decode(principal))
        claims = {one["typ"]: one["val"] for one in document["claims"]}
    except (ValueError, TypeError, KeyError, binascii.Error):
        return ""
    names = (document.get("name_typ"), *NAME_CLAIMS)
    return next((str(claims[name]) for name in names if claims.get(name)), "")
