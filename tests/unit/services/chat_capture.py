"""What apprise's plug-ins send, without a network."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from mlevents.services.chat.apprise import _apprise

ANSWER = {
    **dict.fromkeys(("ok", "success"), True),
    **dict.fromkeys(("code", "errcode", "StatusCode", "status"), 0),
    **dict.fromkeys(("id", "default_workspace"), 1),
    **dict.fromkeys(("requestId", "token", "access_token", "event_id", "status_message"), "ok"),
    "user_id": "@u:h.example",
    "room_id": "!room:h.example",
    "versions": ["v1.1"],
}
"""What each of the services takes for a success."""


@contextmanager
def captured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What goes over the wire: the body of each request, whoever it is for, parsed."""
    sent: list[Any] = []

    def send(self: requests.Session, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        try:
            sent.append(json.loads(body))
        except ValueError:
            sent.append(dict(parse_qsl(body)))
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b"ok" if "hooks.slack" in str(request.url) else json.dumps(ANSWER).encode("ascii")
        answer.request, answer.url = request, str(request.url)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(requests.Session, "send", send)
        plugin = _apprise().plugins.NotifyBase
        patched.setattr(plugin, "throttle", lambda *_, **__: None)
        yield sent
