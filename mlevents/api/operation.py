"""An operation of the API: one function, which says what a request may have and what it answers.

Its address is in `mlevents.api.routes`. The OpenAPI document describes both. An operation is a function in
any module of this package:

    class Cancellation(RequestBody):
        reason: str

    @operation("CancelResponse", body=Cancellation, answer=CancelView)
    async def cancel_response(request: ApiRequest, app: AppState) -> ApiAnswer:
        \"\"\"Cancel a response: one line, then as much as is needed.\"\"\"
"""

import importlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from durabletask.client import AsyncTaskHubGrpcClient
from pydantic import BaseModel, ConfigDict

from mlevents.api.query_parameter import QueryParameter
from mlevents.api.routes import ROUTES
from mlevents.registry import Registry
from mlevents.responses.delivery_plan import DeliveryOutcome
from mlevents.rules.model import Rules
from mlevents.settings import Settings


class RequestBody(BaseModel):
    """The base of what a request may have as its body; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ApiError(Exception):
    """A request that is refused, with its HTTP status; `details` are in the answer beside the text."""

    def __init__(self, status: int, text: str, **details: Any) -> None:
        self.status, self.details = status, details
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request whose parameters and body were read as the operation declares them.

    `path` are the values in the address, `query` those of the parameters that the URL has. `body` is an
    instance of the declared class, else None. The names of headers are in small letters.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer as JSON."""

    document: Any
    status: int = 200


@dataclass(frozen=True, slots=True)
class AppState:
    """What operations read of the running app.

    `client` is the task hub; no operation that is declared without `hub` reads it. `rules` and `settings`
    raise ConfigError while these are broken; `problems` says why deliveries raise. `deliver` delivers the
    text of an event, as Event Grid does.
    """

    client: AsyncTaskHubGrpcClient
    now: datetime
    rules: Callable[[], Rules]
    settings: Callable[[], Settings]
    problems: Callable[[], list[str]]
    deliver: Callable[[str], Awaitable[DeliveryOutcome]] | None = None


Perform = Callable[[ApiRequest, AppState], Awaitable[ApiAnswer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `name` is that of its function, `answer` the type of its answer 200.

    `answers` are other answers than errors, by status; `errors` are statuses of errors besides those that
    follow from the declaration. `anonymous` ones need no key. `hub` says whether the task hub is read.
    """

    name: str
    method: str
    path: str
    perform: Perform
    parameters: tuple[QueryParameter, ...] = ()
    body: type[RequestBody] | None = None
    answer: Any = dict
    answers: Mapping[int, Any] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    anonymous: bool = False
    hub: bool = True
    deprecated: bool = False

    @property
    def about(self) -> str:
        """What it does: the docstring of its function."""
        return inspect.getdoc(self.perform) or ""


operations = Registry[Operation]("operation", "mlevents.api")


def operation(name: str, **declared: Any) -> Callable[[Perform], Perform]:
    """Register a function as the operation of a name in `ROUTES`.

    `declared` are the fields of Operation that its route does not say.
    """
    route = ROUTES[name]
    declared |= {"anonymous": route.anonymous, "hub": route.hub}

    def declare(perform: Perform) -> Perform:
        operations(name)(Operation(name, route.method, route.path, perform, **declared))
        return perform

    return declare


def find_operation(name: str) -> Operation:
    """The operation of a name in `ROUTES`; imports its module alone."""
    importlib.import_module(f"{operations.package}.{ROUTES[name].module}")
    return operations.find(name)
