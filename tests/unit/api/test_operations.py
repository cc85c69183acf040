"""What every operation does alike: it reads what it declares, refuses the rest, and is described from it."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, cast

import grpc
import pytest
from jsonschema.validators import Draft202012Validator
from pydantic import Field

from mlevents.api.openapi import describe_api, describe_operation, path_names
from mlevents.api.operation import (
    ApiAnswer,
    ApiError,
    ApiRequest,
    AppState,
    Operation,
    RequestBody,
    operations,
)
from mlevents.api.query_parameter import choice_parameter, limit_parameter
from mlevents.api.request_reading import HttpRequest, perform_operation
from mlevents.api.routes import ROUTES
from mlevents.errors import ConfigError

PARAMETERS = (choice_parameter("colour", "Its colour.", ["red", "green"]), limit_parameter(5, 3))


class Paint(RequestBody):
    reason: str = Field(min_length=1)
    coats: int = 1


def refuse(*_: Any) -> Any:
    raise AssertionError("an operation of this test reads nothing of the app")


APP = AppState(cast(Any, None), datetime(2026, 1, 1, tzinfo=UTC), refuse, refuse, refuse)


def ask(
    perform: Any, query: dict[str, str] | None = None, text: bytes = b"", url: str = "", **declared: Any
) -> ApiAnswer:
    one = Operation("Paint", "POST", "v1/walls/{id}/paint", perform, **declared)
    return asyncio.run(perform_operation(one, HttpRequest({"id": "w"}, query or {}, text, {}, url), APP))


async def echo(request: ApiRequest, _: AppState) -> ApiAnswer:
    body = request.body and request.body.model_dump()
    return ApiAnswer({"path": dict(request.path), "query": dict(request.query), "body": body})


def test_every_address_has_its_operation_and_every_operation_its_address():
    assert {name: one.perform.__module__ for name, one in operations.items()} == {
        name: f"mlevents.api.{route.module}" for name, route in ROUTES.items()
    }


def test_an_operation_gets_the_values_that_it_declares():
    found = ask(
        echo, {"colour": "red", "limit": "2"}, b'{"reason": "dull"}', parameters=PARAMETERS, body=Paint
    )
    assert found == ApiAnswer(
        {
            "path": {"id": "w"},
            "query": {"colour": "red", "limit": 2},
            "body": {"reason": "dull", "coats": 1},
        }
    )


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"color": "red"}, "unknown parameter 'color' (did you mean 'colour'?): known are colour, limit"),
        ({"colour": "gren"}, "colour is 'gren' (did you mean 'green'?): one of red, green"),
        ({"limit": "6"}, "limit is '6': give a whole number from 1 to 5"),
    ],
)
def test_a_query_that_it_does_not_declare_is_refused(query: dict[str, str], says: str):
    assert ask(echo, query, parameters=PARAMETERS) == ApiAnswer({"error": says}, 400)


def test_a_parameter_without_a_value_is_refused_though_the_host_leaves_it_out():
    found = ask(echo, {}, url="https://app/api/v1/walls/w/paint?colour=", parameters=PARAMETERS)
    assert (found.status, "colour is ''" in found.document["error"]) == (400, True)


def test_an_operation_without_parameters_takes_none_but_the_hosts_own():
    assert ask(echo, {"x": "1"}).document == {"error": "unknown parameter 'x': this address takes none"}
    assert ask(echo, {"code": "a-function-key"}).status == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"reasn": "x"}', "reasn: unknown field (did you mean 'reason'?)"),
        (b'{"reason": ""}', "reason: must not be empty"),
        (b'{"reason": "x", "coats": "2"}', "coats: must be a whole number, not the text '2'"),
        (b"", "'reason' is missing"),
        (b"[]", "the body must be a JSON object"),
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"[" * 50_000, "the body is not JSON"),
    ],
)
def test_a_body_that_it_does_not_declare_is_refused(body: bytes, says: str):
    found = ask(echo, text=body, body=Paint)
    assert found.status == 400
    assert says in found.document["error"]


def test_a_body_may_not_be_longer_than_64_kb():
    assert ask(echo, text=b" " * 70_000, body=Paint).status == 413


@pytest.mark.parametrize(
    ("raised", "status", "document"),
    [
        (ApiError(409, "it is done", state="done"), 409, {"error": "it is done", "state": "done"}),
        (
            ConfigError("rules.yaml: no"),
            503,
            {"error": "the settings or the rule file are broken: rules.yaml: no"},
        ),
        (grpc.RpcError(), 503, {"error": "the task hub does not answer (RpcError): try again"}),
        (ValueError("secret"), 500, {"error": "a fault in mlevents: the app's log has the reason"}),
    ],
)
def test_whatever_is_raised_has_the_one_form_of_an_error(raised: Exception, status: int, document: Any):
    async def fail(*_: Any) -> ApiAnswer:
        raise raised

    assert ask(fail) == ApiAnswer(document, status)


def test_the_document_has_every_operation_with_what_it_declares():
    paths = describe_api("/somewhere/api")["paths"]
    described = {
        (method.upper(), path.removeprefix("/")): one
        for path, methods in paths.items()
        for method, one in methods.items()
    }
    assert described.keys() == {(one.method, one.path) for _, one in operations.items()}
    for _, one in operations.items():
        found = described[one.method, one.path]
        names = [each["name"] for each in found.get("parameters", ())]
        assert names == [*path_names(one), *(each.name for each in one.parameters)]
        assert ("requestBody" in found) == (one.body is not None)
        assert found["operationId"] == one.name
        assert found["summary"].endswith((".", "`")), one.name
        assert (found.get("security") == []) == one.anonymous


def test_the_document_refers_to_schemas_that_it_has():
    document = describe_api()
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert f'"#/components/schemas/{name}"' in text
    references = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert references <= schemas.keys()


def test_an_operation_is_described_by_what_it_may_answer():
    class Schemas:
        def of(self, kind: Any) -> dict[str, str]:
            return {"kind": kind.__name__}

    one = Operation("Paint", "POST", "v1/walls/{id}/paint", echo, body=Paint, errors=(409,))
    found: dict[str, Any] = describe_operation(one, Schemas())  # type: ignore[arg-type]
    assert set(found["responses"]) == {"200", "400", "401", "404", "409", "413", "500", "503"}
    assert found["requestBody"]["content"]["application/json"]["schema"] == {"kind": "Paint"}
