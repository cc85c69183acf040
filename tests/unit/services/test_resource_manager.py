"""Resource Manager read directly: pages that go on, pages that lead away, answers that are none."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from mlevents.errors import PermanentError, TransientError
from mlevents.services.paging import same_origin
from mlevents.services.resource_manager import ResourceManager
from tests.unit.stand_ins import WORKSPACE, Answer, Authority, Request, Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
GRANT = {"actions": ["*/read"], "notActions": []}


@pytest.fixture
def serve(cloud: ExitStack, trusted: Authority) -> Callable[..., Server]:
    def serving(answer: Callable[[Request], Answer]) -> Server:
        return cloud.enter_context(Server(answer, trusted.context).serving())

    return serving


@pytest.mark.parametrize(
    ("url", "address", "same"),
    [
        ("https://management.azure.com:443/x", "https://management.azure.com", True),
        ("https://management.azure.com/x", "https://management.azure.com:443", True),
        ("HTTPS://Management.Azure.com/x", "https://management.azure.com", True),
        ("https://management.azure.com:444/x", "https://management.azure.com", False),
        ("http://management.azure.com/x", "https://management.azure.com", False),
        ("https://management.azure.com.evil.example/x", "https://management.azure.com", False),
        ("https://management.azure.com@evil.example/x", "https://management.azure.com", False),
        ("https://management.azure.com:x/", "https://management.azure.com", False),
        ("//management.azure.com/x", "https://management.azure.com", False),
        ("/subscriptions", "https://management.azure.com", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, address: str, same: bool) -> None:
    assert same_origin(url, address) is same


def test_every_page_of_a_list_is_read(serve: Callable[..., Server]) -> None:
    def answer(request: Request) -> Answer:
        more = None if "page=2" in request.path else f"{server.url.replace('https', 'HTTPS')}/next?page=2"
        return Answer(body={"value": [GRANT], "nextLink": more})

    server = serve(answer)
    found = ResourceManager(server.url).permissions(WORKSPACE)
    assert found is not None
    assert len(found) == 2


def test_a_page_at_another_server_is_an_error_and_gets_no_token(serve: Callable[..., Server]) -> None:
    elsewhere = serve(lambda _: Answer(body={"value": []}))
    server = serve(lambda _: Answer(body={"value": [GRANT], "nextLink": f"{elsewhere.url}/next"}))
    with pytest.raises(PermanentError, match="nextLink names another host"):
        ResourceManager(server.url).permissions(WORKSPACE)
    assert elsewhere.requests == []


@pytest.mark.parametrize("raw", [b"<html>busy</html>", b'{"value": [', b"[]"])
def test_an_answer_that_is_no_json_object_is_read_again(serve: Callable[..., Server], raw: bytes) -> None:
    server = serve(lambda _: Answer(raw=raw))
    with pytest.raises(TransientError, match="the answer cannot be read"):
        ResourceManager(server.url).permissions(WORKSPACE)
    with pytest.raises(TransientError, match="the answer cannot be read"):
        ResourceManager(server.url).read(WORKSPACE, {"api-version": "1"}, "reading it")
