"""What the host reads in the app's host.json."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

VISIBILITY = "00:05:00"
TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>\d+)(?::(?P<seconds>\d+(?:\.\d+)?))?")


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The settings that the sandbox heeds; the defaults are those of the host and of extension 3.19.

    `reorder_window` is in minutes; with 0 no message to an entity is recognised as a repetition.
    `control_visibility` and `work_visibility` say how long a message stays invisible that a dead host
    had taken from a control queue or from the work-item queue.
    """

    route_prefix: str = "api"
    default_version: str | None = None
    version_match: str = "CurrentOrOlder"
    version_failure: str = "Reject"
    reorder_window: float = 30
    control_visibility: timedelta = timedelta(minutes=5)
    work_visibility: timedelta = timedelta(minutes=5)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The settings of the app in this folder; raises ValueError for a file that is not JSON."""
        file = folder / "host.json"
        document = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        extensions = document.get("extensions", {})
        durable = extensions.get("durableTask", {})
        storage = durable.get("storageProvider", {})
        version = durable.get("defaultVersion")
        return cls(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")),
            default_version=None if version is None else str(version),
            version_match=str(durable.get("versionMatchStrategy", "CurrentOrOlder")),
            version_failure=str(durable.get("versionFailureStrategy", "Reject")),
            reorder_window=float(durable.get("entityMessageReorderWindowInMinutes", 30)),
            control_visibility=_span(storage, "controlQueueVisibilityTimeout"),
            work_visibility=_span(storage, "workItemQueueVisibilityTimeout"),
        )


def _span(settings: Mapping[str, Any], name: str) -> timedelta:
    """A .NET TimeSpan such as `00:05:00` or `1.00:00:00`."""
    return parse_time_span(str(settings.get(name, VISIBILITY)))


def parse_time_span(text: str) -> timedelta:
    """`[days.]hours:minutes[:seconds]` as .NET reads it; raises ValueError."""
    found = TIME_SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not a time span: write it as hours:minutes:seconds")
    parts = {name: float(value) for name, value in found.groupdict(default="0").items()}
    return timedelta(**parts)
