"""Finds a deployed app in Azure by its name: its address, its function key, and how people sign in to it.

https://learn.microsoft.com/rest/api/appservice/web-apps: list, list host keys, get auth settings V2 without
secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from mlevents.errors import ConfigError, RefusedError
from mlevents.registry import suggest_names
from mlevents.services.app_client import AppAccess
from mlevents.services.arm_client import ArmClient
from mlevents.services.azure_credential import credential
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import translate_errors

SITES_API = "2024-11-01"
KEYS_ACTION = "Microsoft.Web/sites/host/listKeys/action"
WEBHOOK_KEY = "eventgrid_extension"
"""The system key that the Event Grid extension creates, and that its webhook asks for."""
_LONGEST_LIST = 20


@dataclass(frozen=True, slots=True)
class FunctionApp:
    """One Function App: its resource id, and its host name."""

    id: str
    name: str
    host: str

    @classmethod
    def read(cls, site: Mapping[str, Any]) -> Self:
        """From the resource as ARM sends it."""
        properties = site.get("properties") or {}
        return cls(str(site["id"]), str(site["name"]), str(properties["defaultHostName"]))


class FunctionAppReader:
    """Reads the Function Apps of one subscription; raises PermanentError or TransientError."""

    def __init__(self, arm: ArmClient, subscription: str) -> None:
        self._arm, self._subscription = arm, subscription

    def open(self, name: str, key: str = "") -> AppAccess:
        """The access to the app of this name; `key` is a function key that the caller has already.

        Raises ConfigError where no app has the name. Where people sign in to the app, a token proves who
        they are, and a caller who may not read the key goes on without it.
        """
        app = self.find(name)
        token = self._read_token(app)
        try:
            key = key or self.read_key(app)
        except RefusedError:
            if not token:
                raise
        return AppAccess(f"https://{app.host}", key, token)

    def find(self, name: str) -> FunctionApp:
        """The Function App of this name, without case; raises ConfigError if there is none."""
        path = f"/subscriptions/{self._subscription}/providers/Microsoft.Web/sites"
        with translate_errors(f"listing the apps of subscription '{self._subscription}'"):
            sites = [one for one in self._arm.list(path, SITES_API) if _is_function_app(one)]
            apps = {app.name.casefold(): app for app in map(FunctionApp.read, sites)}
        if name.casefold() not in apps:
            names = [app.name for app in apps.values()][:_LONGEST_LIST]
            fact = f"subscription '{self._subscription}' has no Function App '{name:.100}'"
            raise ConfigError(f"{fact}{suggest_names(name, names)}")
        return apps[name.casefold()]

    def read_key(self, app: FunctionApp) -> str:
        """A function key of the app: the one named `default`, else any; never the master key."""
        with translate_errors(f"reading the function keys of app '{app.name}' ({KEYS_ACTION})"):
            keys = self._arm.post(f"{app.id}/host/default/listKeys", SITES_API).get("functionKeys") or {}
        if not keys:
            raise ConfigError(f"app '{app.name}' has no function key: create one on its page *App keys*")
        return str(keys.get("default") or next(iter(keys.values())))

    def read_webhook_key(self, name: str) -> str:
        """The key with which Event Grid calls the functions of the app of this name."""
        app = self.find(name)
        with translate_errors(f"reading the system keys of app '{app.name}' ({KEYS_ACTION})"):
            keys = self._arm.post(f"{app.id}/host/default/listKeys", SITES_API).get("systemKeys") or {}
        if WEBHOOK_KEY not in keys:
            raise ConfigError(f"app '{app.name}' has no system key {WEBHOOK_KEY}: deploy its functions first")
        return str(keys[WEBHOOK_KEY])

    def _read_token(self, app: FunctionApp) -> str:
        """A token of the caller for the app; empty where nobody signs in to it."""
        with translate_errors(f"reading how people sign in to app '{app.name}'"):
            settings = self._arm.get(
                f"{self._arm.address}{app.id}/config/authsettingsV2", {"api-version": SITES_API}
            )
            audience = read_audience(settings.get("properties") or {})
        if not audience:
            return ""
        with translate_errors(f"signing in to app '{app.name}' ({audience})"), import_lock():
            return str(credential().get_token(f"{audience}/.default").token)


def read_audience(settings: Mapping[str, Any]) -> str:
    """For whom a token must be that Easy Auth accepts; empty where it is off, or uses no Entra ID."""
    entra = (settings.get("identityProviders") or {}).get("azureActiveDirectory") or {}
    if not (settings.get("platform") or {}).get("enabled") or entra.get("enabled") is False:
        return ""
    allowed = (entra.get("validation") or {}).get("allowedAudiences") or []
    client = (entra.get("registration") or {}).get("clientId") or ""
    return str(next(iter(allowed), "")) or (f"api://{client}" if client else "")


def _is_function_app(site: Mapping[str, Any]) -> bool:
    """Whether a site is a Function App: its kind is `functionapp`, `functionapp,linux` …"""
    return "functionapp" in str(site.get("kind") or "").casefold().split(",")
