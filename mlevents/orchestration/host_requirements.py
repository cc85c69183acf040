"""The settings in host.json that responses need to survive. The host.json of this repository has them.

An existing app has its own host.json, so it is checked when the app starts, and by `doctor`.
Sources: learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json and
learn.microsoft.com/azure/azure-functions/functions-host-json.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlevents.orchestration.versions import CURRENT

DURABLE = "extensions.durableTask"
BUNDLES = "Microsoft.Azure.Functions.ExtensionBundle"


@dataclass(frozen=True, slots=True)
class HostRequirement:
    """A value at a path of host.json, and what happens without it."""

    path: str
    wanted: Any
    reason: str
    as_text: bool = False
    """Whether the value is compared as text, so that 1 equals "1"."""

    def fits(self, found: Any) -> bool:
        """Whether the value that was found is the wanted one."""
        return bool(self.wanted == (str(found) if self.as_text else found))


REQUIREMENTS = (
    HostRequirement("version", "2.0", "the Functions host does not start"),
    HostRequirement("telemetryMode", "OpenTelemetry", "traces of the host and of the app are not one"),
    HostRequirement("extensionBundle.id", BUNDLES, "the host lacks the triggers that mlevents uses"),
    HostRequirement(
        f"{DURABLE}.defaultVersion",
        CURRENT,
        "running responses do not survive the next release",
        as_text=True,
    ),
    HostRequirement(
        f"{DURABLE}.versionMatchStrategy", "CurrentOrOlder", "responses of an older release freeze"
    ),
    HostRequirement(f"{DURABLE}.entityMessageReorderWindowInMinutes", 0, "calls of entities may hang"),
    HostRequirement(
        f"{DURABLE}.storageProvider.controlQueueVisibilityTimeout",
        "00:01:00",
        "after a crash a rollout waits longer than its lease",
    ),
    HostRequirement(
        f"{DURABLE}.storageProvider.workItemQueueVisibilityTimeout",
        "00:01:00",
        "after a crash a rollout waits longer than its lease",
    ),
)


def find_unmet_requirements(folder: Path) -> Iterator[str]:
    """One line for each requirement that host.json in this folder does not meet; all if it cannot be read."""
    file = folder / "host.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        yield f"{file} cannot be read ({error}): copy the one that `mlevents init` writes"
        return
    for one in REQUIREMENTS:
        found = _value(document, one.path)
        if not one.fits(found):
            said = "is not set" if found is None else f"is {json.dumps(found)}"
            yield f"host.json: {one.path} {said}, so {one.reason}: set it to {json.dumps(one.wanted)}"


def _value(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
