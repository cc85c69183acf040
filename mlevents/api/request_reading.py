"""What every operation does with a request, before and after its own work."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import grpc
from pydantic import ValidationError

from mlevents.api.operation import ApiAnswer, ApiError, ApiRequest, AppState, Operation, RequestBody
from mlevents.api.query_parameter import QueryError, read_query
from mlevents.errors import ConfigError
from mlevents.rules.validation_messages import ErrorMessages

_LONGEST_BODY = 64 * 1024

log = logging.getLogger("mlevents")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as the host hands it over; names of headers are in small letters."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


async def perform_operation(one: Operation, http: HttpRequest, app: AppState) -> ApiAnswer:
    """The answer to a request, whatever is raised on the way; each error has the same JSON form."""
    try:
        return await one.perform(read_api_request(one, http), app)
    except ApiError as error:
        return ApiAnswer({"error": str(error), **error.details}, error.status)
    except QueryError as error:
        return ApiAnswer({"error": str(error)}, 400)
    except ConfigError as error:
        return ApiAnswer({"error": f"the settings or the rule file are broken: {error}"}, 503)
    except grpc.RpcError as error:
        log.exception("%s %s: the task hub does not answer", one.method, one.path)
        return ApiAnswer({"error": f"the task hub does not answer ({_code(error)}): try again"}, 503)
    except Exception:
        log.exception("%s %s failed", one.method, one.path)
        return ApiAnswer({"error": "a fault in mlevents: the app's log has the reason"}, 500)


def read_api_request(one: Operation, http: HttpRequest) -> ApiRequest:
    """The request as the operation declares it; raises QueryError or ApiError."""
    blank = {name: "" for name, value in parse_qsl(urlsplit(http.url).query, True) if not value}
    query = read_query(one.parameters, {**blank, **http.query})  # the host leaves out a blank value
    body = read_body(one.body, http.body) if one.body else None
    return ApiRequest(http.path, query, body, http.headers, http.url)


def read_body(model: type[RequestBody], text: bytes) -> RequestBody:
    """The body, where an empty one is an empty object; raises ApiError with every problem in it."""
    if len(text) > _LONGEST_BODY:
        raise ApiError(413, f"the body has {len(text):,} bytes: send at most {_LONGEST_BODY:,}")
    try:
        document: Any = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not JSON: {str(error).splitlines()[0]}") from error
    if not isinstance(document, dict):
        raise ApiError(400, "the body must be a JSON object")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        problems = ErrorMessages(model, "field").translate(error, document)
        lines = [f"{path}: {said}" if path else said for path, said in problems]
        raise ApiError(400, "; ".join(lines)) from error


def _code(error: grpc.RpcError) -> str:
    code = getattr(error, "code", None)
    return str(code().name) if callable(code) else type(error).__name__
