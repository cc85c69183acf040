"""The OpenAPI document, made from the declarations of the operations."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mlevents.api.operation import ApiAnswer, ApiRequest, AppState, Operation, operation, operations
from mlevents.api.routes import ROUTES

_OPENAPI = "3.1.0"
_KEY = "functionKey"
_SCHEMAS = "#/components/schemas/{model}"
PATH_VALUE = {"type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"}


@dataclass(frozen=True, slots=True)
class ErrorView:
    """Why a request was refused, with the remedy; `state` is that of what a verb could not change."""

    error: str
    state: str | None = None


@operation("OpenApi")
async def read_openapi(request: ApiRequest, _: AppState) -> ApiAnswer:
    """This document: every operation of the API."""
    base = request.url.partition("?")[0].rstrip("/").removesuffix(f"/{ROUTES['OpenApi'].path}")
    return ApiAnswer(describe_api(base or "/api"))


def describe_api(base: str = "/api") -> dict[str, Any]:
    """The OpenAPI document; `base` is the address below which the operations are."""
    described = [one for _, one in operations.items()]
    schemas = _Schemas(described)
    paths: dict[str, dict[str, Any]] = {}
    for one in sorted(described, key=lambda one: one.path):
        paths.setdefault(f"/{one.path}", {})[one.method.lower()] = describe_operation(one, schemas)
    return {
        "openapi": _OPENAPI,
        "info": {"title": "mlevents", "version": _version(), "description": "The API for operators."},
        "servers": [{"url": base}],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {_KEY: {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
        },
        "security": [{_KEY: []}],
    }


def describe_operation(one: Operation, schemas: "_Schemas") -> dict[str, Any]:
    """One operation: its parameters, body and answers."""
    summary, _, more = one.about.partition("\n")
    in_path = [_parameter(name, "path", PATH_VALUE) for name in path_names(one)]
    in_query = [_parameter(each.name, "query", dict(each.schema), each.about) for each in one.parameters]
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": summary,
        "description": more.strip(),
        "parameters": [*in_path, *in_query],
        "responses": {str(status): value for status, value in sorted(_answers(one, schemas).items())},
    }
    if one.body:
        required = any(field.is_required() for field in one.body.model_fields.values())
        described["requestBody"] = {"content": _json(schemas.of(one.body)), "required": required}
    if one.anonymous:
        described["security"] = []
    if one.deprecated:
        described["deprecated"] = True
    return {name: value for name, value in described.items() if value or name == "security"}


def path_names(one: Operation) -> list[str]:
    """The names of the values in an operation's address."""
    return re.findall(r"\{(\w+)\}", one.path)


def _answers(one: Operation, schemas: "_Schemas") -> dict[int, dict[str, Any]]:
    """Each answer by its status; the host itself answers a missing key, without a body."""
    errors = {400, 500, *one.errors} | ({503} if one.hub else set())
    errors |= {404} if path_names(one) else set()
    errors |= {413} if one.body else set()
    found = {status: {"content": _json(schemas.of(ErrorView))} for status in errors}
    found |= {status: {"content": _json(schemas.of(kind))} for status, kind in one.answers.items()}
    found[200] = {"content": _json(schemas.of(one.answer))}
    if not one.anonymous:
        found[401] = {}
    return {status: {"description": HTTPStatus(status).phrase, **value} for status, value in found.items()}


class _Schemas:
    """The JSON Schemas of everything that operations take and give."""

    def __init__(self, described: Iterable[Operation]) -> None:
        from pydantic import TypeAdapter

        given: dict[Any, str] = {ErrorView: "serialization"}
        for one in described:
            given |= {kind: "serialization" for kind in (one.answer, *one.answers.values())}
            given |= {one.body: "validation"} if one.body else {}
        inputs = [(kind, mode, TypeAdapter(kind)) for kind, mode in given.items()]
        self._found, shared = TypeAdapter.json_schemas(inputs, ref_template=_SCHEMAS)  # type: ignore[arg-type]
        self._modes = given
        self.definitions: Mapping[str, Any] = shared.get("$defs", {})

    def of(self, kind: Any) -> Mapping[str, Any]:
        """The schema of a type, most often a reference."""
        return self._found[kind, self._modes[kind]]  # type: ignore[index]


def _parameter(name: str, place: str, schema: Mapping[str, Any], about: str = "") -> dict[str, Any]:
    described = {"name": name, "in": place, "required": place == "path", "schema": schema}
    return {**described, "description": about} if about else described


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _version() -> str:
    try:
        return version("mlevents")
    except PackageNotFoundError:
        return "0"
