"""The app's secret: generated once, kept by every later deployment. See docs/operations.md."""

import secrets
from collections.abc import Mapping
from typing import Any

from infra.hooks.parameters import own_group
from infra.hooks.programs import HookError, az, keep_in_azd, needed, say
from mlevents.settings import is_key_vault_reference

SETTING = "MLEVENTS_SECRET"
PARAMETER = "appSecret"
"""The parameter of main.bicep that becomes the setting; empty when the vault has the secret already."""


def keep_secret(environment: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    """Keep the secret in azd's environment, unless a parameter gives it or the app's vault has it."""
    if not parameters.get(PARAMETER) and (secret := choose_secret(environment, parameters)):
        keep_in_azd(environment, SETTING, secret)


def choose_secret(environment: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    """The parameter if it has a value, else the secret that the app has now, else a new one.

    Empty when the app reads it from its vault: the template then leaves the vault's secret as it is.
    """
    if chosen := parameters.get(PARAMETER):
        return str(chosen)
    present = _present_secret(environment, parameters)
    if is_key_vault_reference(present):
        if parameters.get("useKeyVault"):
            return ""
        raise HookError(
            f"the app reads {SETTING} from its vault, and useKeyVault is no longer set: "
            f"set {SETTING} to the vault's secret mlevents-secret (`azd env set --file FILE`), "
            "so that running responses find what they started"
        )
    if present:
        return present
    say("mlevents: generates the app's secret")
    return secrets.token_urlsafe(32)


def _present_secret(environment: Mapping[str, str], parameters: Mapping[str, Any]) -> str:
    """What the app that is there has as its secret, or as the reference to it; empty without an app."""
    subscription = needed(environment, "AZURE_SUBSCRIPTION_ID")
    group = own_group(environment, parameters)
    place = ("--subscription", subscription)
    for app in az("resource", "list", "--resource-type", "Microsoft.Web/sites", *place) or ():
        if app["resourceGroup"].casefold() == group.casefold() and (app.get("tags") or {}).get("app"):
            where = ("--name", app["name"], "--resource-group", group, *place)
            settings = az("functionapp", "config", "appsettings", "list", *where)
            return next((str(one["value"] or "") for one in settings if one["name"] == SETTING), "")
    return ""
