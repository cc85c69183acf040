"""The host.json of the package names the backend of the task hub; that of the project stays as it is.

App settings override host.json for the Functions host, but not for Azure's scale controller: it gets the task
hub that the file names (`ReadDurableTaskConfig` in FunctionsSyncManager.cs of Azure/azure-functions-host;
issues 2622 and 2803 of Azure/azure-functions-durable-extension). If the file names another backend, the scale
controller watches a task hub that is not used, and starts no instance for a response that waits.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.hooks.programs import ROOT, HookError, say

PARAMETER = "durableBackend"
STORAGE, SCHEDULER = "storage", "scheduler"
FILE, KEPT = "host.json", ".host.json.kept"
HUB = {
    "hubName": "mlevents",
    "storageProvider": {
        "type": "azureManaged",
        "connectionStringName": "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    },
}
"""The scheduler's task hub, as main.bicep makes it and as the app's settings name it."""


def choose_backend(parameters: Mapping[str, Any]) -> str:
    """The backend that main.bicep is given; raises HookError for one that it does not know."""
    backend = str(parameters.get(PARAMETER, STORAGE))
    if backend not in (STORAGE, SCHEDULER):
        raise HookError(f"the parameter '{PARAMETER}' is '{backend}': use {STORAGE} or {SCHEDULER}")
    return backend


def write_backend(backend: str, root: Path = ROOT) -> None:
    """Name the backend in host.json until `restore`; for `storage` the file is right as it is."""
    restore(root)
    if backend == STORAGE:
        return
    original = (root / FILE).read_bytes()
    changed = _name_scheduler(original)
    (root / KEPT).write_bytes(original)
    (root / FILE).write_bytes(changed)
    say(f"mlevents: {FILE} of the package names the Durable Task Scheduler")


def restore(root: Path = ROOT) -> None:
    """Undo `write_backend`; raises HookError if host.json was changed since."""
    kept, file = root / KEPT, root / FILE
    if not kept.exists():
        return
    if file.read_bytes() == _name_scheduler(kept.read_bytes()):
        kept.replace(file)
    else:
        raise HookError(
            f"{FILE} was changed while the package was made: put your change into {KEPT}, "
            f"then rename that to {FILE}"
        )


def _name_scheduler(original: bytes) -> bytes:
    """The file with the scheduler's task hub; settings of the storage account's are left out."""
    try:
        document = json.loads(original)
        document.setdefault("extensions", {}).setdefault("durableTask", {}).update(HUB)
    except (ValueError, AttributeError) as error:
        remedy = "write it as JSON, with `extensions` an object"
        raise HookError(f"{FILE} cannot be read ({error}): {remedy}") from error
    return (json.dumps(document, indent=2) + "\n").encode()
