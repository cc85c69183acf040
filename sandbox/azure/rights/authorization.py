"""Authorization as Resource Manager does it: before it checks whether the resource exists.

`GET {resource}/providers/Microsoft.Authorization/permissions` lists what the caller has.
`POST /_sandbox/permissions {"permissions": [{"actions": ["*"], "notActions": []}], "scope": "<ARM id>",
"who": "app"}` replaces what the caller's roles allow at that scope, or without `scope` on every workspace and
factory; `who` is `app` or `owner`. Lists show it, and requests follow it. `DELETE` restores the roles.
"""

from collections.abc import Iterable

from aiohttp import web

from sandbox.azure.errors import ArmError
from sandbox.azure.identity import APP, OBJECT_IDS
from sandbox.azure.rights.assignments import Rights
from sandbox.azure.rights.requested_actions import ASSIGN, RequestedAction, requested_actions
from sandbox.azure.routes import Call, Routes
from sandbox.azure.scopes import Scopes
from sandbox.azure.validation import find_problems, parse_json
from sandbox.azure.workspace import (
    FACTORY_PATH,
    REGISTRY_PATH,
    WORKSPACE_PATH,
)

CONTROL = "/_sandbox/permissions"
LISTED = "/providers/microsoft.authorization/permissions"
PLACES = (
    *("/subscriptions/{subscription}", "/subscriptions/{subscription}/resourceGroups/{group}"),
    *(WORKSPACE_PATH, FACTORY_PATH, REGISTRY_PATH, f"{WORKSPACE_PATH}/onlineEndpoints/{{endpoint}}"),
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/{identity}",
)


class Authorization:
    """Refuses requests without permission, and lists the permissions of the caller."""

    def __init__(self, rights: Rights, scopes: Scopes) -> None:
        self.rights = rights
        self._scopes = scopes

    def check(self, who: str, method: str, path: str) -> None:
        """Raise ArmError 403 for the first action that the caller lacks."""
        for one in requested_actions(method, path):
            if not self.rights.allowed(who, one.action, one.scope):
                raise authorization_error(who, one)

    def check_linked(self, who: str, own: RequestedAction, identities: Iterable[str]) -> None:
        """Raise ArmError 403 for a user-assigned identity that the caller may not give away."""
        for identity in identities:
            if not self.rights.allowed(who, ASSIGN, identity):
                raise linked_authorization_error(who, own, identity)

    def register(self, routes: Routes) -> None:
        """Serve the lists."""
        for path in PLACES:
            routes.add("GET", f"{path}/providers/Microsoft.Authorization/permissions", self._list)

    def routes(self) -> list[web.RouteDef]:
        """`POST` replaces permissions, `DELETE` restores them."""
        return [web.post(CONTROL, self._post), web.delete(CONTROL, self._delete)]

    async def _list(self, call: Call) -> web.Response:
        scope = call.request.path[: -len(LISTED)]
        return web.json_response({"value": [one.to_json() for one in self.rights.held(call.who, scope)]})

    async def _post(self, request: web.Request) -> web.Response:
        try:
            wanted = parse_json(await request.read())
            found = find_problems("permissions", wanted)
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)
        scopes = [wanted["scope"]] if not found and "scope" in wanted else self._scopes.ids.values()
        found += [f"there is no resource '{one}'" for one in scopes if not self._scopes.has_subscription(one)]
        if found:
            return web.json_response({"error": "; ".join(found)}, status=400)
        for scope in scopes:
            self.rights.replace(wanted.get("who", APP), scope, wanted["permissions"])
        return web.Response(status=204)

    async def _delete(self, _: web.Request) -> web.Response:
        self.rights.restore()
        return web.Response(status=204)


def authorization_error(who: str, one: RequestedAction) -> ArmError:
    """403 in Azure's words."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{OBJECT_IDS[who]}' with object id '{OBJECT_IDS[who]}' does not have authorization to "
        f"perform action '{one.action}' over scope '{one.scope}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials.",
    )


def linked_authorization_error(who: str, own: RequestedAction, identity: str) -> ArmError:
    """403 for a resource that the request names besides its own."""
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{OBJECT_IDS[who]}' with object id '{OBJECT_IDS[who]}' has permission to perform action "
        f"'{own.action}' on scope '{own.scope}'; however, it does not have permission to perform action(s) "
        f"'{ASSIGN}' on the linked scope(s) '{identity}' (respectively) or the linked scope(s) are invalid.",
    )
