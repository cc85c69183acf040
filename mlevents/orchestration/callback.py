"""Callbacks: a signed address at which a service ends a step that waits for it, once.

The token is a keyed hash (HMAC-SHA256), with the app's secret, of the key of the step's attempt, so that
nothing has to be stored to recognise it. The event that it raises is taken by one wait alone: a second call
finds the step ended, or changes nothing.
"""

import base64
import hmac
from urllib.parse import quote

from mlevents.canonical import join_parts

CALLBACK_ROUTE = "v1/callbacks/{id}/{step}/{token}"


def name_callback(step: str) -> str:
    """The external event of a step's callback."""
    return f"Callback.{step}"


def make_callback_token(secret: str, key: str) -> str:
    """The token for the step with this key: 43 letters, digits, `-` and `_`."""
    text = join_parts("callback", key).encode("utf-8", "replace")
    found = hmac.digest(secret.encode("utf-8", "surrogatepass"), text, "sha256")
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def make_callback_address(app: str, response: str, step: str, token: str) -> str:
    """The address at which the service calls back; `app` is that of the app."""
    parts = {"id": quote(response, safe=""), "step": quote(step, safe=""), "token": token}
    return f"{app}/api/{CALLBACK_ROUTE.format(**parts)}"
