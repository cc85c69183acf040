"""Calls to HTTP services: which addresses they may reach, and how they prove who sends them."""

import socket
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from mlevents.errors import PermanentError, TransientError
from mlevents.services.http import http_client
from mlevents.services.http.address_check import find_address_fault
from mlevents.services.http.connection import Http, join_address
from mlevents.services.http.http_client import HttpCall, HttpClient
from tests.unit.stand_ins import Answer, Authority, Request, Server, services

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PLATFORM = ["168.63.129.16", "169.254.169.254", "64:ff9b::a9fe:a9fe", "::ffff:168.63.129.16"]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1"),
        *("::1", "fe80::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"),
        *("192.0.0.8", "198.18.0.1", "240.0.0.1"),
    ],
)
def test_a_private_address_is_called_only_where_that_is_allowed(address: str):
    fault = find_address_fault(address, allow_private=False)
    assert fault
    assert fault.endswith("or write `allow_private: true` in the connection")
    assert find_address_fault(address, allow_private=True) is None


@pytest.mark.parametrize("address", [*PLATFORM, "0.0.0.0", "::", "224.0.0.1", "ff02::1"])
def test_some_addresses_are_never_called(address: str):
    assert find_address_fault(address, allow_private=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "20.1.2.3", "2603:1020::1"])
def test_a_public_address_may_be_called(address: str):
    assert find_address_fault(address, allow_private=False) is None


@pytest.fixture
def peer(cloud: ExitStack, trusted: Authority) -> Server:
    """A service; what it answers is set by each test."""

    def answer(request: Request) -> Answer:
        return answers.pop(0) if answers else Answer(body={"path": request.path})

    answers: list[Answer] = []
    server = cloud.enter_context(Server(answer, trusted.context).serving())
    server.answers = answers  # type: ignore[attr-defined]
    return server


def client(trusted: Authority, **changes: Any) -> HttpClient:
    return HttpClient(**{"allow_private": True, "certificates": str(trusted.ca), **changes})


def test_a_name_that_changes_its_address_is_not_called(
    peer: Server, trusted: Authority, monkeypatch: pytest.MonkeyPatch
):
    resolve, answers = socket.getaddrinfo, ["8.8.8.8", "127.0.0.1"]

    def change(host: Any, *words: Any, **options: Any) -> Any:
        return resolve(answers.pop(0) if host == "rebinding.example" else host, *words, **options)

    connected: list[Any] = []

    def refuse(_: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", change)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    port = int(peer.url.rpartition(":")[2])
    with pytest.raises(TransientError, match="no network in tests"):
        client(trusted, allow_private=False).send(HttpCall("GET", f"https://rebinding.example:{port}/"))
    assert connected == [("8.8.8.8", port)]
    assert peer.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_this_machine_is_not_called_by_any_spelling(peer: Server, trusted: Authority, host: str):
    port = peer.url.rpartition(":")[2]
    with pytest.raises((PermanentError, TransientError)):
        client(trusted, allow_private=False).send(HttpCall("GET", f"https://{host}:{port}/"))
    assert peer.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    ["https://169.254.169.254/metadata", "http://127.0.0.1/", "file:///etc/passwd", "https://x.example/"],
)
def test_no_redirect_leads_to_another_place(peer: Server, trusted: Authority, status: int, target: str):
    peer.answers.append(Answer(status, headers={"Location": target}))  # type: ignore[attr-defined]
    secret = {"X-Api-Key": "key of the service"}
    with pytest.raises(PermanentError, match=r"redirects|https"):
        client(trusted).send(HttpCall("GET", f"{peer.url}/a", secret))
    assert len(peer.requests) == 1


def test_a_redirect_at_the_same_host_is_followed(peer: Server, trusted: Authority):
    peer.answers.append(Answer(307, headers={"Location": "/b"}))  # type: ignore[attr-defined]
    answer = client(trusted).send(HttpCall("POST", f"{peer.url}/a", {}, b"{}"))
    assert (answer.status, answer.read_json()) == (200, {"path": "/b"})
    assert [one.method for one in peer.requests] == ["POST", "POST"]


def test_redirects_in_a_circle_end(peer: Server, trusted: Authority):
    peer.answers += [Answer(308, headers={"Location": "/a"})] * 20  # type: ignore[attr-defined]
    with pytest.raises(PermanentError, match="redirects more than 5 times"):
        client(trusted).send(HttpCall("GET", f"{peer.url}/a"))


def test_a_long_answer_is_not_read_to_its_end(
    peer: Server, trusted: Authority, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(http_client, "LONGEST_ANSWER", 1000)
    peer.answers.append(Answer(raw=b"x" * 200_000))  # type: ignore[attr-defined]
    with pytest.raises(PermanentError, match="the answer is longer than 1000 bytes"):
        client(trusted).send(HttpCall("GET", f"{peer.url}/a"))


def test_what_gives_no_answer_may_be_retried_and_its_query_is_not_told(peer: Server, trusted: Authority):
    peer.answers.append(Answer(drop=True))  # type: ignore[attr-defined]
    with pytest.raises(TransientError) as raised:
        client(trusted).send(HttpCall("GET", f"{peer.url}/a?sig=secretsignature"))
    assert "secretsignature" not in str(raised.value)
    assert f"{peer.url}/a gave no answer" in str(raised.value)


def test_a_certificate_that_is_not_trusted_is_no_case_for_a_retry(peer: Server):
    with pytest.raises(PermanentError, match="its certificate is not accepted"):
        HttpClient(allow_private=True).send(HttpCall("GET", f"{peer.url}/a"))


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "//evil.example/x", "https://evil.example", "a/%2e%2e/x", "a\\..\\x", "a?b", "a#b"],
)
def test_no_path_leads_away_from_the_base(path: str):
    with pytest.raises(PermanentError):
        join_address("https://api.example.com/v1", path)


def test_a_path_is_below_the_base():
    assert (
        join_address("https://api.example.com/v1", "/models/net") == "https://api.example.com/v1/models/net"
    )
    assert join_address("https://api.example.com/v1", "") == "https://api.example.com/v1"


def test_a_call_is_signed_as_standard_webhooks_say():
    secret = "whsec_" + "bWxldmVudHMtdGVzdC1zaWduaW5nLWtleQ=="
    known = services({}, SIGN=secret, KEY="k" * 20)
    fields = {
        "base": "https://a.example",
        "sign": {"setting": "SIGN"},
        "headers": {"X-K": {"setting": "KEY"}},
    }
    connection = Http.model_validate(fields)
    call = connection.authenticate(
        HttpCall("POST", "https://a.example", {}, b'{"a": 1}'), "k1", known, datetime.now(UTC)
    )
    assert Webhook(secret).verify(call.body or b"", dict(call.headers)) == {"a": 1}
    assert call.headers["X-K"] == "k" * 20


def test_a_token_of_the_app_is_sent_for_an_audience(cloud: ExitStack):
    connection = Http.model_validate({"base": "https://a.example", "token_for": "api://cd"})
    call = connection.authenticate(HttpCall("GET", "https://a.example"), "k", services({}), NOW)
    assert call.headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"base": "http://a.example"}, "is not encrypted"),
        ({"base": "ftp://a.example"}, "is not an address"),
        ({"base": "a.example"}, "is not an address"),
        ({"base": "https://u:p@a.example"}, "holds a user or password"),
        ({"base": "https://a.example/?x=1"}, "has a query or a fragment"),
        ({"base": "https://a.example:99999"}, "is not an address"),
    ],
)
def test_a_base_that_cannot_be_called_is_a_fault(fields: dict[str, Any], fault: str):
    connection = Http.model_validate(fields | {"base": {"setting": "BASE"}})
    assert fault in str(connection.find_fault({"BASE": fields["base"]}))
    if fault != "is not encrypted":
        with pytest.raises(ValueError, match=fault):
            Http.model_validate(fields)


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key", "Cookie", "host", "a b", "Content-Length"])
def test_a_header_that_holds_a_secret_or_is_ours_is_refused(header: str):
    with pytest.raises(ValueError, match=r"setting: NAME|is set by mlevents|not a valid name"):
        Http.model_validate({"base": "https://a.example", "headers": {header: "text"}})
