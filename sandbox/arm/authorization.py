"""What the caller is allowed, as Azure's authorization tells it: whatever a test or a person asked for.

`POST /_sandbox/permissions {"permissions": [{"actions": ["*"], "notActions": []}], "scope": "<ARM id>"}`
says what the roles of the app's identity allow on that resource, or without `scope` everywhere. It is told,
and not enforced. `DELETE` allows everything again.
"""

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox.arm.routes import Call, Routes
from sandbox.arm.validation import list_of, object_of, problems, text
from sandbox.arm.workspace import FACTORY_ID, FACTORY_PATH, WORKSPACE_ID, WORKSPACE_PATH

CONTROL = "/_sandbox/permissions"
SCOPES = (WORKSPACE_ID, FACTORY_ID)
EVERYTHING = ({"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []},)
NAMES = list_of(text())
PERMISSION = object_of({"actions": NAMES}, notActions=NAMES, dataActions=NAMES, notDataActions=NAMES)
SHAPE = object_of({"permissions": list_of(PERMISSION)}, scope=text())


class Authorization:
    """Serves the permissions on the workspace and on the factory."""

    def __init__(self) -> None:
        self._granted: dict[str, Sequence[dict[str, Any]]] = {}
        self.allow_everything()

    def allow_everything(self) -> None:
        """As the sandbox really does."""
        self._granted = {scope.lower(): EVERYTHING for scope in SCOPES}

    def register(self, routes: Routes) -> None:
        """Serve them."""
        for path, scope in ((WORKSPACE_PATH, WORKSPACE_ID), (FACTORY_PATH, FACTORY_ID)):
            routes.add("GET", f"{path}/providers/Microsoft.Authorization/permissions", self._telling(scope))

    def routes(self) -> list[web.RouteDef]:
        """Where people say what is allowed."""
        return [web.post(CONTROL, self._post), web.delete(CONTROL, self._delete)]

    def _telling(self, scope: str) -> Any:
        async def tell(_: Call) -> web.Response:
            return web.json_response({"value": list(self._granted[scope.lower()])})

        return tell

    async def _post(self, request: web.Request) -> web.Response:
        try:
            wanted = json.loads(await request.read())
            found = problems(SHAPE, wanted)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        scopes = [wanted["scope"]] if not found and "scope" in wanted else SCOPES
        found += [f"there is no resource '{one}'" for one in scopes if one.lower() not in self._granted]
        if found:
            return web.json_response({"error": "; ".join(found)}, status=400)
        self._granted |= {scope.lower(): wanted["permissions"] for scope in scopes}
        return web.Response(status=204)

    async def _delete(self, _: web.Request) -> web.Response:
        self.allow_everything()
        return web.Response(status=204)
