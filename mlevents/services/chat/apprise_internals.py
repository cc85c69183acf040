"""The private members of apprise's plug-ins that mlevents uses; no other module may use one.

apprise has no public method that sends a message of our own form to Slack, or that closes an alert of
Opsgenie which another process has opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlevents.errors import PermanentError
from mlevents.services.lazy_import import import_lock

SEND = "_send"
"""Of the plug-in for Slack: posts one payload, and reads the answer."""
FETCH = "_fetch"
"""Of the plug-in for Opsgenie: the same, and says whether it was accepted."""


def replace_slack_payload(place: Any, make: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Let the plug-in send what `make` gives for its own payload."""
    send = _find_member(place, SEND)

    def send_other(url: str, payload: Mapping[str, Any], **options: Any) -> Any:
        return send(url, make(payload), **options)

    setattr(place, SEND, send_other)


def post_to_opsgenie(place: Any, path: str, body: Mapping[str, str], query: Mapping[str, str]) -> bool:
    """Whether Opsgenie took this, below the address of alerts of the plug-in's region."""
    with import_lock():
        import requests
        from apprise.plugins.opsgenie import OPSGENIE_API_LOOKUP

    url = f"{OPSGENIE_API_LOOKUP[place.region_name]}/{path}"
    accepted, _request = _find_member(place, FETCH)(requests.post, url, body, query)
    return bool(accepted)


def _find_member(place: Any, name: str) -> Any:
    """The member; raises PermanentError when apprise has changed."""
    member = getattr(place, name, None)
    if member is None:
        missing = f"{type(place).__name__}.{name}"
        raise PermanentError(
            f"the installed apprise has no {missing}: install the version in requirements.txt"
        )
    return member
