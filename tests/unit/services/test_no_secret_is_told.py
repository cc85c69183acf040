"""A secret in the wrong setting: whatever a connection says of it, it never quotes it."""

import logging
from typing import Any

import pytest

from mlevents.errors import ActionError
from mlevents.services.connection import Message, connection
from mlevents.services.services import Services
from mlevents.settings import Settings

SECRET = "endpoint=https://acs.example.com/;accesskey=SEKRET123"
HELD = {"setting": "HELD"}
GOOD: dict[str, dict[str, Any]] = {
    "email": {"endpoint": "https://acs.example.com", "sender": "a@b.example", "to": ["t@b.example"]},
    "smtp": {"host": "127.0.0.1", "port": 1, "tls": "none", "sender": "a@b.example", "to": ["t@b.example"]},
    "apprise": {"url": "json://127.0.0.1:1"},
}


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in GOOD.items() for field in fields]
)
@pytest.mark.parametrize(
    "value", [SECRET, "slack://SEKRET123", "htps://x/?sig=SEKRET123", "https://x/?sig=SEKRET123"]
)
def test_a_secret_in_the_wrong_setting_is_not_told(
    kind: str, field: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    written = GOOD[kind] | {field: [HELD] if field == "to" else HELD}
    services = Services(Settings(environment={"HELD": value}))
    sender: Any = connection.find(kind).model_validate(written)
    with caplog.at_level(logging.DEBUG), pytest.raises(ActionError) as raised:
        sender.send(Message("subject", "text", "key"), services)
    told = f"{raised.value} {caplog.text} {[str(one) for one in sender.preflight(services)]}"
    assert "SEKRET123" not in told
    assert "HELD" in told
