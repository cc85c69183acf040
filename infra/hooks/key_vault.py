"""Key Vault references: Azure reads them when the app starts, so a secret set later must be read again.

learn.microsoft.com/azure/app-service/app-service-key-vault-references, "Understand rotation".
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from infra.hooks.programs import HookError, az, needed, say

REFERENCES = "config/configreferences/appsettings"
VERSION = "api-version=2024-11-01"
WAITS = 6
PAUSE = 10.0


def refresh(environment: Mapping[str, str], pause: Callable[[float], None] = time.sleep) -> None:
    """Read the app's references again; raises HookError naming the settings that stay unresolved.

    An app whose rules name such a setting refuses every event, so nothing is subscribed before.
    """
    vault = environment.get("MLEVENTS_VAULT_NAME", "")
    if not vault:
        return
    app = needed(environment, "MLEVENTS_FUNCTION_APP_ID")
    say(f"mlevents: reads the secrets of the vault {vault} again")
    az("rest", "--method", "post", "--url", f"{app}/{REFERENCES}/refresh?{VERSION}")
    unresolved: dict[str, str] = {}
    for _ in range(WAITS):
        unresolved = read_unresolved(app)
        if not unresolved:
            return
        pause(PAUSE)
    lines = "".join(f"\n  {name}: {status}" for name, status in unresolved.items())
    raise HookError(
        f"app settings refer to the vault '{vault}', and Azure cannot resolve them:{lines}\n"
        f"Set each secret, `az keyvault secret set --vault-name {vault} --name <secret> --file <file>`, or "
        "remove the setting from secretSettings; then run `azd hooks run postdeploy`"
    )


def read_unresolved(app: str) -> dict[str, str]:
    """The settings whose reference is not resolved, with Azure's word for why."""
    answer: Any = az("rest", "--method", "get", "--url", f"{app}/{REFERENCES}?{VERSION}") or {}
    statuses = {
        str(one["id"]).rsplit("/", 1)[-1]: (one.get("properties") or {}).get("status", "Resolved")
        for one in answer.get("value", ())
    }
    return {name: status for name, status in statuses.items() if status != "Resolved"}
