"""The status of a copy into a registry: what Azure may answer, and where no token goes."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from mlevents.errors import TransientError
from mlevents.services.arm_client import ArmClient
from mlevents.services.machine_learning.copy_operation import CopyOperation, CopyState
from tests.unit.stand_ins import Answer, Authority, Request, Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
ERROR = {"code": "StorageDenied", "message": "no access"}


@pytest.fixture
def serve(cloud: ExitStack, trusted: Authority) -> Callable[..., Server]:
    def serving(answer: Callable[[Request], Answer]) -> Server:
        return cloud.enter_context(Server(answer, trusted.context).serving())

    return serving


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (Answer(body={"status": "InProgress"}), CopyState.RUNNING, ""),
        (Answer(202), CopyState.RUNNING, ""),
        (Answer(body={"status": "Succeeded"}), CopyState.SUCCEEDED, ""),
        (Answer(204), CopyState.SUCCEEDED, ""),
        (Answer(body={"id": "the result itself"}), CopyState.SUCCEEDED, ""),
        (Answer(body={"status": "Failed", "error": ERROR}), CopyState.FAILED, "StorageDenied: no access"),
        (Answer(body={"status": "canceled"}), CopyState.FAILED, ""),
        (Answer(400, {"error": ERROR}), CopyState.FAILED, "StorageDenied: no access"),
        (Answer(403, {"error": ERROR}), CopyState.UNKNOWN, ""),
        (Answer(404, {"error": ERROR}), CopyState.UNKNOWN, ""),
    ],
)
def test_every_form_of_a_status_is_understood(
    serve: Callable[..., Server], answer: Answer, state: CopyState, reason: str
) -> None:
    server = serve(lambda _: answer)
    found = CopyOperation(f"{server.url}/status").read(ArmClient(server.url), [server.url])
    assert (found.state, found.reason) == (state, reason)
    assert found.status_url == f"{server.url}/status"


@pytest.mark.parametrize("answer", [Answer(503), Answer(429), Answer(body=["no object"])])
def test_a_status_that_cannot_be_read_now_is_read_again(serve: Callable[..., Server], answer: Answer) -> None:
    server = serve(lambda _: answer)
    with pytest.raises(TransientError):
        CopyOperation(f"{server.url}/status").read(ArmClient(server.url), [server.url])


def test_no_token_goes_to_another_host(serve: Callable[..., Server]) -> None:
    server, elsewhere = serve(lambda _: Answer()), serve(lambda _: Answer())
    known = ArmClient(server.url)
    assert CopyOperation(f"{elsewhere.url}/status").read(known, [server.url]).state is CopyState.UNKNOWN
    assert CopyOperation("").read(known, [server.url]).state is CopyState.UNKNOWN
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({"azure-asyncoperation": "https://a/1", "Location": "https://a/2"}, "https://a/1"),
        ({"location": "https://a/2"}, "https://a/2"),
        ({}, ""),
    ],
)
def test_the_address_of_the_status_is_in_the_headers(headers: dict[str, str], url: str) -> None:
    assert CopyOperation.accepted(headers).status_url == url
