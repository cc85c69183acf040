"""The Function App as Resource Manager lists it, its host keys, and its authentication settings.

In the shape of https://learn.microsoft.com/rest/api/appservice/web-apps: list, list host keys, get auth
settings V2 without secrets.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.azure.errors import ArmError
from sandbox.azure.event_subscriptions import APP_ID
from sandbox.azure.routes import Call, Handler, Routes

SITES = "/subscriptions/{subscription}/providers/Microsoft.Web/sites"
SITE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/sites/{site}"


def make_key() -> str:
    """A key as random as the host's own."""
    return secrets.token_urlsafe(40)


@dataclass
class WebSite:
    """One app: `host` is where it answers over https; with an `audience`, a token for it is asked for."""

    id: str = APP_ID
    kind: str = "functionapp,linux"
    host: str = ""
    audience: str = ""
    function_keys: dict[str, str] = field(default_factory=lambda: {"default": make_key()})
    system_keys: dict[str, str] = field(default_factory=lambda: {"eventgrid_extension": make_key()})
    master_key: str = field(default_factory=make_key)

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]


class WebSites:
    """Serves the apps of the subscription."""

    def __init__(self, location: str) -> None:
        self._location = location
        self.app = WebSite()
        self.sites = [self.app]

    def register(self, routes: Routes) -> None:
        """Serve the list, and of each app its keys and how people sign in to it."""
        routes.add("GET", SITES, self._list)
        routes.add("POST", f"{SITE}/host/default/listKeys", self._with_site(_list_keys))
        routes.add("GET", f"{SITE}/config/authsettingsV2", self._with_site(self._describe_sign_in))

    async def _list(self, call: Call) -> web.Response:
        start = f"/subscriptions/{call.names['subscription']}/".lower()
        found = [self._describe(one) for one in self.sites if one.id.lower().startswith(start)]
        return web.json_response({"value": found, "nextLink": None})

    def _with_site(self, describe: Callable[[WebSite], dict[str, Any]]) -> Handler:
        async def answer(call: Call) -> web.Response:
            names = call.names
            tail = f"/resourceGroups/{names['group']}/providers/Microsoft.Web/sites/{names['site']}".lower()
            found = next((one for one in self.sites if one.id.lower().endswith(tail)), None)
            if found is None:
                raise ArmError(
                    404,
                    "ResourceNotFound",
                    f"The Resource 'Microsoft.Web/sites/{names['site']}' under resource group "
                    f"'{names['group']}' was not found. For more details please go to "
                    "https://aka.ms/ARMResourceNotFoundFix",
                )
            return web.json_response(describe(found))

        return answer

    def _describe(self, site: WebSite) -> dict[str, Any]:
        return {
            "id": site.id,
            "name": site.name,
            "type": "Microsoft.Web/sites",
            "kind": site.kind,
            "location": self._location,
            "properties": {
                "state": "Running",
                "enabled": True,
                "hostNames": [site.host],
                "enabledHostNames": [site.host],
                "defaultHostName": site.host,
                "httpsOnly": True,
                "resourceGroup": site.id.split("/")[4],
            },
        }

    def _describe_sign_in(self, site: WebSite) -> dict[str, Any]:
        return {
            "id": f"{site.id}/config/authsettingsV2",
            "name": "authsettingsV2",
            "type": "Microsoft.Web/sites/config",
            "location": self._location,
            "properties": {
                "platform": {"enabled": bool(site.audience), "runtimeVersion": "~1"},
                "globalValidation": {
                    "requireAuthentication": bool(site.audience),
                    "unauthenticatedClientAction": "Return401" if site.audience else "AllowAnonymous",
                },
                "identityProviders": {"azureActiveDirectory": _describe_entra(site)},
                "login": {"tokenStore": {"enabled": False}},
                "httpSettings": {"requireHttps": True},
            },
        }


def _list_keys(site: WebSite) -> dict[str, Any]:
    return {
        "masterKey": site.master_key,
        "functionKeys": site.function_keys,
        "systemKeys": site.system_keys,
    }


def _describe_entra(site: WebSite) -> dict[str, Any]:
    return {
        "enabled": bool(site.audience),
        "registration": {"clientId": site.audience.removeprefix("api://") or None},
        "login": {"disableWWWAuthenticate": False},
        "validation": {"jwtClaimChecks": {}, "allowedAudiences": [site.audience] if site.audience else []},
    }
