"""Which requests have the function key that a host asks for."""

import pytest
from aiohttp.test_utils import make_mocked_request

from sandbox.host.function_keys import has_key
from sandbox.host.http_routes import HttpRoute
from sandbox.worker.function import Function


@pytest.mark.parametrize(
    ("headers", "query", "admitted"),
    [
        ({}, "", False),
        ({"x-functions-key": "right"}, "", True),
        ({"X-Functions-Key": "wrong"}, "", False),
        ({}, "?code=right", True),
        ({}, "?code=wrong", False),
        ({"x-functions-key": "wrong"}, "?code=right", False),
        ({"x-functions-key": "right"}, "?code=wrong", True),
        ({"x-functions-key": "schlüssel"}, "", False),
    ],
)
def test_the_header_counts_before_the_query(headers: dict[str, str], query: str, admitted: bool):
    request = make_mocked_request("GET", f"/api/v1/responses{query}", headers=headers)
    assert has_key(request, "right") is admitted
    assert has_key(request, "")


@pytest.mark.parametrize(("level", "anonymous"), [("ANONYMOUS", True), ("FUNCTION", False), (None, False)])
def test_only_an_anonymous_function_is_open(level: str | None, anonymous: bool):
    trigger = {"type": "httpTrigger", "name": "req", "authLevel": level}
    assert HttpRoute.of(Function("f", "1", (trigger,))).anonymous is anonymous
