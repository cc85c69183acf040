"""What the SDKs raise becomes: asking again helps, or it does not, and why."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    SerializationError,
    ServiceRequestError,
    ServiceResponseError,
)
from hypothesis import given
from hypothesis import strategies as st

from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.services.sdk_errors import clean_text, read_retry_after, translate_error, translate_errors

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Response:
    """As much of an answer as an error holds."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status
        self.reason = "Because"
        self.headers = headers or {}
        self._body = body if isinstance(body, str) else json.dumps(body)

    def text(self) -> str:
        return self._body


def refusal(
    status: int, code: str = "SomeCode", message: str = "some message", **more: Any
) -> HttpResponseError:
    body = {"error": {"code": code, "message": message, **more}}
    return HttpResponseError(response=Response(status, body))  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 422, 200])
def test_a_refusal_is_permanent(status: int) -> None:
    error = translate_error("reading model 'm'", refusal(status))
    assert isinstance(error, PermanentError)
    fact, _, helps = str(error).partition("; ")
    assert fact == f"reading model 'm': Azure answered {status} SomeCode: some message"
    assert bool(helps) == (status in (401, 403, 404))


@pytest.mark.parametrize(
    ("status", "message", "busy"),
    [
        (409, "", True),
        (400, "Endpoint net is in Updating provisioning state.", True),
        (400, "Endpoint net is in Scaling provisioning state.", True),
        (429, "", False),
        (503, "", False),
    ],
)
def test_an_operation_of_someone_else_is_busy_and_a_failing_service_is_not(
    status: int, message: str, busy: bool
) -> None:
    error = translate_error("x", refusal(status, message=message))
    assert isinstance(error, TransientError)
    assert error.busy is busy


def test_a_refusal_keeps_what_azure_said_apart_from_what_was_tried() -> None:
    error = translate_error("moving traffic to net-1", refusal(400, "BadRequest", "net-2 is Failed"))
    assert isinstance(error, RefusedError)
    assert (error.status, error.answer) == (400, "BadRequest: net-2 is Failed")


MAY_NOT = "The client 'x' does not have authorization to perform action 'Microsoft.A/b/read' over scope '/s'"


@pytest.mark.parametrize(
    ("status", "code", "message", "helps"),
    [
        (
            403,
            "AuthorizationFailed",
            MAY_NOT,
            "a role that allows 'Microsoft.A/b/read': `mlevents doctor --needs`",
        ),
        (403, "Forbidden", "no", "infra/access.bicep"),
        (401, "InvalidAuthenticationToken", "no", "AZURE_CLIENT_ID"),
        (404, "ResourceNotFound", "no", "create it, or correct its name in the rule file"),
        (409, "ScopeLocked", "locked", "remove the lock"),
        (
            409,
            "MissingSubscriptionRegistration",
            "use 'Microsoft.Foo'",
            "az provider register --namespace Microsoft.Foo",
        ),
    ],
)
def test_a_refusal_names_the_remedy_however_long_it_is(
    status: int, code: str, message: str, helps: str
) -> None:
    for text in (message, f"{message} {'x' * 3000}"):
        said = str(translate_error("reading x", refusal(status, code, text)))
        assert helps in said
        assert len(said) <= 1000


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_busy_service_is_transient(status: int) -> None:
    assert isinstance(translate_error("x", refusal(status)), TransientError)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, "ExpiredAuthenticationToken", "", TransientError),
        (401, "InvalidAuthenticationToken", "", PermanentError),
        (409, "ScopeLocked", "", PermanentError),
        (400, "UserError", "Endpoint e is in Updating provisioning state.", TransientError),
    ],
)
def test_the_code_decides_where_the_status_does_not(status: int, code: str, message: str, kind: type) -> None:
    assert isinstance(translate_error("x", refusal(status, code, message)), kind)


def test_the_reason_in_the_details_is_told() -> None:
    details = [{"code": "OutOfQuota", "message": "0 of 4 cores"}]
    text = str(translate_error("x", refusal(400, "UserError", "Not enough quota", details=details)))
    assert text == "x: Azure answered 400 UserError: Not enough quota; OutOfQuota: 0 of 4 cores"


@pytest.mark.parametrize(
    "error",
    [
        ServiceRequestError("refused"),
        ServiceResponseError("timed out"),
        ClientAuthenticationError("no token"),
    ],
)
def test_no_answer_at_all_is_transient(error: AzureError) -> None:
    assert isinstance(translate_error("x", error), TransientError)


CHAIN = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Variables are not fully configured.
Visit https://aka.ms/azsdk/python/identity/environmentcredential/troubleshoot to troubleshoot this issue.
\tVisualStudioCodeCredential: VisualStudioCodeCredential requires the 'azure-identity-broker' package.
\tAzureCliCredential: {}
\tAzurePowerShellCredential: PowerShell is not installed
To mitigate this issue, please refer to the troubleshooting guidelines here at https://aka.ms/azsdk"""


@pytest.mark.parametrize(
    ("cli", "said"),
    [
        ("Azure CLI not found on path", "signing in: no way to sign in is set up here"),
        (
            "Please run 'az login' to set up an account",
            "signing in: the sign-in failed: AzureCliCredential: Please run 'az login' to set up an account",
        ),
    ],
)
def test_of_a_failed_sign_in_only_the_ways_that_are_set_up_are_named(cli: str, said: str) -> None:
    found = translate_error("signing in", ClientAuthenticationError(CHAIN.format(cli)))
    assert isinstance(found, TransientError)
    assert str(found) == said


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_refusal_of_azure_ai_ml_is_permanent_but_not_what_it_wraps() -> None:
    from azure.ai.ml.exceptions import MlException

    own = MlException(message="no compute", no_personal_data_message="no compute")
    assert isinstance(translate_error("x", own), PermanentError)
    own.__cause__ = refusal(503)
    assert isinstance(translate_error("x", own), TransientError)


@pytest.mark.parametrize("body", ["<html>", "", "[]", '{"error": "text"}', '{"error": {"details": ["x"]}}'])
def test_an_answer_in_another_form_is_no_trouble(body: str) -> None:
    error = HttpResponseError("bad gateway", response=Response(502, body))  # type: ignore[arg-type]
    assert "Azure answered 502" in str(translate_error("x", error))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:05:05 GMT"}, 60.0),
        ({"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"}, 0.0),
        ({"Retry-After-Ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_the_service_asks_for_is_passed_on(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert read_retry_after(headers, lambda: NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_the_translation(text: str) -> None:
    seconds = read_retry_after({"Retry-After": text}, lambda: NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cr3tt0k3nvalue0123",
        "url https://x/?a=b&sig=s3cr3tt0k3nvalue%3D&c=d",
        "access_token='s3cr3tt0k3nvalue'",
        "AccountKey=s3cr3tt0k3nvalue==;Endpoint=x",
        "https://f/api?code=s3cr3tt0k3nvalue",
        "token eyJhbGciOiJub25lIn0.s3cr3tt0k3nvalue.sign",
    ],
)
def test_secrets_are_left_out(text: str) -> None:
    assert "s3cr3t" not in clean_text(text)


@pytest.mark.parametrize(
    "error", [KeyError("runId"), ValueError("<html>"), TypeError("x"), AttributeError("x"), RecursionError()]
)
def test_an_answer_that_cannot_be_read_is_transient_and_not_quoted(error: Exception) -> None:
    with pytest.raises(TransientError, match="x: the answer cannot be read") as caught, translate_errors("x"):
        raise error
    assert "html" not in str(caught.value)


def test_a_body_that_the_sdk_cannot_decode_is_transient_whatever_its_status() -> None:
    error = DecodeError("not JSON", response=Response(200, "<html>"))  # type: ignore[arg-type]
    assert isinstance(translate_error("x", error), TransientError)


def test_a_request_that_cannot_be_written_is_permanent() -> None:
    with pytest.raises(PermanentError, match="x: the request cannot be written"), translate_errors("x"):
        raise SerializationError("a set is not valid JSON")


def test_other_errors_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("x"):
        raise ZeroDivisionError("ours")
    with pytest.raises(TransientError, match="ours"), translate_errors("x"):
        raise TransientError("ours")


def test_it_also_decorates() -> None:
    @translate_errors("doing it")
    def doing() -> None:
        raise refusal(429)

    for _ in range(2):
        with pytest.raises(TransientError, match="doing it: Azure answered 429"):
            doing()
