"""The settings in host.json that responses need to survive. The host.json of this repository has them.

An existing app has its own host.json, so it is checked when the app starts, and by `doctor`. An app setting
`AzureFunctionsJobHost__extensions__durableTask__…` overrides the file for the host; the names compare without
case, and every value is text. Azure's scale controller knows the file alone: the backend must be named there.
Sources: learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json,
learn.microsoft.com/azure/azure-functions/functions-host-json and issue 2622 of
Azure/azure-functions-durable-extension.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlevents.orchestration.versions import CURRENT

DURABLE = "extensions.durableTask"
BACKEND = f"{DURABLE}.storageProvider.type"
_STORAGE, _SCHEDULER = "AzureStorage", "azureManaged"
_OVERRIDE = "azurefunctionsjobhost__"
BUNDLES = "Microsoft.Azure.Functions.ExtensionBundle"


@dataclass(frozen=True, slots=True)
class HostRequirement:
    """A value at a path of host.json, and what happens without it."""

    path: str
    wanted: Any
    reason: str
    storage_only: bool = False
    """Whether only the Azure Storage backend has this setting."""

    def fits(self, found: Any) -> bool:
        """Whether the value that was found is the wanted one, as text: 1 equals "1"."""
        return str(self.wanted) == str(found)


REQUIREMENTS = (
    HostRequirement("version", "2.0", "the Functions host does not start"),
    HostRequirement("telemetryMode", "OpenTelemetry", "traces of the host and of the app are not one"),
    HostRequirement("extensionBundle.id", BUNDLES, "the host lacks the triggers that mlevents uses"),
    HostRequirement(
        f"{DURABLE}.defaultVersion",
        CURRENT,
        "running responses do not survive the next release",
    ),
    HostRequirement(
        f"{DURABLE}.versionMatchStrategy", "CurrentOrOlder", "responses of an older release freeze"
    ),
    HostRequirement(f"{DURABLE}.entityMessageReorderWindowInMinutes", 0, "calls of entities may hang"),
    HostRequirement(
        f"{DURABLE}.storageProvider.controlQueueVisibilityTimeout",
        "00:01:00",
        "after a crash a rollout waits longer than its lease",
        storage_only=True,
    ),
    HostRequirement(
        f"{DURABLE}.storageProvider.workItemQueueVisibilityTimeout",
        "00:01:00",
        "after a crash a rollout waits longer than its lease",
        storage_only=True,
    ),
)


def find_unmet_requirements(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """One line for each requirement that host.json in this folder does not meet; all if it cannot be read.

    `environment` holds the app settings that override the file.
    """
    file = folder / "host.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        yield f"{file} cannot be read ({error}): copy the one that `mlevents init` writes"
        return
    overrides = _read_overrides(environment)
    written = str(_value(document, BACKEND) or _STORAGE)
    backend = overrides.get(BACKEND.casefold(), written)
    for one in REQUIREMENTS:
        found = overrides.get(one.path.casefold(), _value(document, one.path))
        needless = one.storage_only and backend.casefold() == _SCHEDULER.casefold()
        if not needless and not one.fits(found):
            said = "is not set" if found is None else f"is {json.dumps(found)}"
            yield f"host.json: {one.path} {said}, so {one.reason}: set it to {json.dumps(one.wanted)}"
    if backend.casefold() != written.casefold():
        yield (
            f"host.json: {BACKEND} is {json.dumps(written)}, but an app setting says {json.dumps(backend)}, "
            "so Azure starts no instances for responses that wait: deploy with `azd deploy`, "
            "which names it in the package"
        )


def _read_overrides(environment: Mapping[str, str]) -> dict[str, str]:
    """The app settings that override host.json, by path in small letters."""
    names = {name: name.casefold() for name in environment}
    return {
        folded.removeprefix(_OVERRIDE).replace("__", "."): environment[name]
        for name, folded in names.items()
        if folded.startswith(_OVERRIDE)
    }


def _value(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
