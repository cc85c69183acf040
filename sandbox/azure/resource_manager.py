"""Resource Manager: authentication, the way to the right part, and the errors on the way back."""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from sandbox.azure.data_factory.factory import DataFactory
from sandbox.azure.errors import LOCATION, ArmError, UnauthorizedError
from sandbox.azure.event_subscriptions import EventSubscriptions
from sandbox.azure.faults import FAILURE, Faults
from sandbox.azure.identity import TENANT, Identity, TokenError
from sandbox.azure.journal import Journal
from sandbox.azure.machine_learning.load import Load
from sandbox.azure.machine_learning.quota import Quota
from sandbox.azure.machine_learning.registries import Registries
from sandbox.azure.machine_learning.scoring_access import ML_AUDIENCES
from sandbox.azure.machine_learning.traffic_history import TrafficHistory
from sandbox.azure.machine_learning_provider import MachineLearning
from sandbox.azure.operations import Operations
from sandbox.azure.resource_routes import ResourceRoutes
from sandbox.azure.rights.assignments import Rights
from sandbox.azure.rights.authorization import Authorization
from sandbox.azure.routes import Call, Routes, check_version
from sandbox.azure.scopes import Key, Scopes
from sandbox.azure.web_sites import WebSites
from sandbox.azure.workspace import (
    FACTORY_ID,
    SUBSCRIPTION_ID,
    WORKSPACE_ID,
    Workspace,
)
from sandbox.azure.workspaces import Workspaces
from sandbox.pace import Pace

ARM_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
METRICS_AUDIENCES = ("https://metrics.monitor.azure.com",)
LARGEST_BODY = 4 * 1024 * 1024
RETRAIN = {
    "activities": [{"name": "train", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 60}}],
    "parameters": {
        "monitor": {"type": "string", "defaultValue": ""},
        "coefficient": {"type": "float", "defaultValue": 0.0},
    },
    "annotations": [],
}
logger = logging.getLogger("sandbox.azure")


class ResourceManager:
    """Everything that Resource Manager serves here, in memory.

    `publish` receives each event that the workspace raises, as one Event Grid event. Without `rights` the
    app may do nothing, and people everything. The composing host sets `base_url` once the server listens;
    `faults` may also guard other servers of the sandbox.
    """

    workspace_id = WORKSPACE_ID
    factory_id = FACTORY_ID

    def __init__(
        self,
        pace: Pace,
        identity: Identity,
        publish: Callable[[dict[str, Any]], None],
        rights: Rights | None = None,
    ) -> None:
        self.base_url, self.pace = "", pace
        self.faults = Faults()
        self.journal = Journal(pace, identity)
        self.rights = rights or Rights()
        self.scopes = Scopes()
        self.authorization = Authorization(self.rights, self.scopes)
        self._identity, self._publish = identity, publish
        self._operations = operations = Operations(pace, SUBSCRIPTION_ID)
        workspace = Workspace(pace, publish, LOCATION)
        self.registries = Registries(operations, self.scopes, self.rights.allowed)
        self._shared = operations, identity, self.authorization, self.registries
        self.machine_learning = MachineLearning(workspace, *self._shared)
        self.workspaces = self.registries.sources = Workspaces(self.machine_learning)
        self.load = Load(pace, self.workspaces.find_endpoint, operations.start_task)
        self.history = TrafficHistory(self.workspaces.list_endpoints)
        self.data_factory = DataFactory(pace, operations, LOCATION)
        self.data_factory.add("retrain", RETRAIN)
        self.event_subscriptions = EventSubscriptions(LOCATION, self.scopes)
        self.web_sites = WebSites(LOCATION)
        self._routes = self._register_routes()
        self._own_routes = ResourceRoutes(self.scopes)
        self._factories: dict[Key, DataFactory] = {}

    def _register_routes(self) -> Routes:
        routes = Routes()
        self._operations.register(routes)
        self.machine_learning.register(routes)
        self.data_factory.register(routes)
        for part in (self.authorization, self.event_subscriptions, Quota(), self.web_sites, self.registries):
            part.register(routes)
        return routes

    def add_workspace(self, id: str) -> None:
        """Create a workspace, unless there is one with this ARM id."""
        if (key := self.scopes.add(id)) in self._own_routes or id.lower() == WORKSPACE_ID.lower():
            return
        workspace = Workspace(self.pace, self._publish, LOCATION, id)
        part = MachineLearning(workspace, *self._shared)
        self._own_routes.add(key, part, self.workspaces.add(part))

    def add_registry(self, id: str) -> None:
        """Create a registry, unless there is one with this ARM id."""
        self.registries.add(id, LOCATION)

    def add_factory(self, id: str, pipelines: Mapping[str, Iterable[str]]) -> None:
        """Create a factory, unless there is one, and each pipeline with its parameters that it lacks."""
        key = self.scopes.add(id)
        if id.lower() != FACTORY_ID.lower() and key not in self._factories:
            self._factories[key] = DataFactory(self.pace, self._operations, LOCATION, id)
            self._own_routes.add(key, self._factories[key])
        factory = self._factories.get(key, self.data_factory)
        for name, parameters in pipelines.items():
            if not factory.has(name):
                declared = {one: {"type": "object"} for one in parameters}
                factory.add(name, {**RETRAIN, "parameters": declared})

    def application(self) -> web.Application:
        """The web application, to be served over TLS."""
        guards = (self.journal, self.history, self.faults)
        application = web.Application(
            middlewares=[guard.middleware for guard in guards], client_max_size=LARGEST_BODY
        )
        for part in (*guards, self.authorization, self.load):
            application.add_routes(part.routes())
        application.router.add_get("/_sandbox/scores", self._scores)
        application.router.add_route("*", "/{path:.*}", self._serve)
        application.on_response_prepare.append(_usual_headers)
        application.on_cleanup.append(self._stop)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._dispatch(request)
        except ArmError as error:
            return error.response()

    async def _dispatch(self, request: web.Request) -> web.Response:
        try:
            route, names, prefix = self._own_routes.find(request, self._routes)
        except LookupError:
            if request.path.lower().startswith("/subscriptions/"):
                who = self._authenticate(request, "arm")
                self.authorization.check(who, request.method, request.path.rstrip("/"))
            return _gap(request)
        who = self._authenticate(request, route.audience)
        if route.versioned:
            check_version(request)
        self.scopes.check_subscription(names)
        if who:
            path = self.workspaces.resolve_path(request.path.rstrip("/"))
            self.authorization.check(who, request.method, path)
        self.scopes.check_scope(names)
        return await route.handler(Call(request, names, request.get(FAILURE), who, prefix))

    def _authenticate(self, request: web.Request, audience: str) -> str:
        """Who calls; empty where no token is asked for."""
        origin = f"{request.scheme}://{request.host}"
        known = {"arm": (*ARM_AUDIENCES, origin), "ml": ML_AUDIENCES, "metrics": METRICS_AUDIENCES}
        audiences = known.get(audience)
        if audiences is None:
            return ""
        authorization = request.headers.get("Authorization")
        try:
            self._identity.check(authorization, audiences)
        except TokenError as error:
            raise UnauthorizedError(error.code, str(error), TENANT) from error
        return self._identity.who(authorization)

    async def _scores(self, _: web.Request) -> web.Response:
        parts = [one.scoring for one in self.workspaces.parts.values()]
        counts = {name: count for part in parts for name, count in part.count_answers().items()}
        return web.json_response(
            {"counts": counts, "scores": [score for part in parts for score in part.list_scores()]}
        )

    async def _stop(self, _: web.Application) -> None:
        await self._operations.stop()


async def _usual_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("x-ms-request-id", str(uuid.uuid4()))
    response.headers.setdefault("x-ms-correlation-request-id", response.headers["x-ms-request-id"])
    if not request.path.startswith(("/inference/", "/_sandbox/")):
        kind = "reads" if request.method == "GET" else "writes"
        response.headers.setdefault(f"x-ms-ratelimit-remaining-subscription-{kind}", "1199")


def _gap(request: web.Request) -> web.Response:
    text = f"The sandbox does not implement {request.method} {request.path}."
    logger.warning(text)
    return ArmError(404, "NotImplementedInSandbox", text).response()
