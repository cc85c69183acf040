"""Paths of Resource Manager, which compare without case, and one call to one of them."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sandbox.azure.errors import ArmError

VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[A-Za-z]\w*)?")


@dataclass(frozen=True, slots=True)
class Failure:
    """How a long-running operation is going to end, when a fault requests its failure."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one route: `names` holds the parts of the path that the route names.

    `who` is the caller, `app` or `owner`; empty where no token is asked for. `prefix` begins the paths of the
    data plane of the workspace, where it is not the first one.
    """

    request: web.Request
    names: Mapping[str, str]
    failure: Failure | None = None
    who: str = ""
    prefix: str = ""

    @property
    def data_plane(self) -> str:
        """The address of the endpoints of the workspace."""
        return self.origin + self.prefix

    @property
    def origin(self) -> str:
        """The address under which the caller knows this server."""
        return f"{self.request.scheme}://{self.request.host}"

    @property
    def version(self) -> str:
        """The api-version that the caller speaks."""
        return self.request.query.get("api-version", "")

    async def body(self) -> Any:
        """The JSON of the body, None when there is none; raises ArmError for anything else."""
        raw = await self.request.read()
        try:
            return json.loads(raw) if raw.strip() else None
        except ValueError as error:
            text = f"The request content was invalid and could not be deserialized: {error}."
            raise ArmError(400, "InvalidRequestContent", text) from error


type Handler = Callable[[Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with the handler that answers; `versioned` ones need an api-version."""

    method: str
    path: re.Pattern[str]
    handler: Handler
    versioned: bool
    audience: str


class Routes:
    """Every route of the server. `{name}` in a path stands for one segment."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(
        self, method: str, path: str, handler: Handler, *, versioned: bool = True, audience: str = "arm"
    ) -> None:
        """Answer a method on a path. `audience` says whose tokens it takes: arm, ml, metrics or none."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        self._routes.append(Route(method, re.compile(pattern, re.IGNORECASE), handler, versioned, audience))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request with the names in its path; raises LookupError when there is none."""
        for route in self._routes:
            match = route.path.fullmatch(path) if route.method == method else None
            if match:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        raise LookupError(path)


def check_version(request: web.Request) -> None:
    """Refuse a call that names no api-version, or none of the form that Azure's have."""
    version = request.query.get("api-version")
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not VERSION.fullmatch(version):
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
