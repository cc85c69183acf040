"""What the host reads in the app's host.json, and in the app settings that override it.

Each `__` in a setting's name goes one level down, names compare without case, and the value is text:
learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

OVERRIDE = "azurefunctionsjobhost__"
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
    def read(cls, folder: Path, environment: Mapping[str, str]) -> Self:
        """The settings of the app in this folder; raises ValueError for a file that is not JSON.

        `environment` holds the app settings.
        """
        file = folder / "host.json"
        document = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        found = dict(_flatten("", document)) | dict(_overrides(environment))
        durable, storage = "extensions__durabletask__", "extensions__durabletask__storageprovider__"
        return cls(
            route_prefix=found.get("extensions__http__routeprefix", "api"),
            default_version=found.get(f"{durable}defaultversion"),
            version_match=found.get(f"{durable}versionmatchstrategy", "CurrentOrOlder"),
            version_failure=found.get(f"{durable}versionfailurestrategy", "Reject"),
            reorder_window=float(found.get(f"{durable}entitymessagereorderwindowinminutes", 30)),
            control_visibility=parse_time_span(
                found.get(f"{storage}controlqueuevisibilitytimeout", VISIBILITY)
            ),
            work_visibility=parse_time_span(
                found.get(f"{storage}workitemqueuevisibilitytimeout", VISIBILITY)
            ),
        )


def _flatten(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every value of the file as text, by its path in small letters."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flatten(f"{path}__{name}" if path else name, inner)
    elif value is not None:
        yield path.casefold(), str(value)


def _overrides(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in environment.items():
        if name.casefold().startswith(OVERRIDE):
            yield name.casefold().removeprefix(OVERRIDE), value


def parse_time_span(text: str) -> timedelta:
    """`[days.]hours:minutes[:seconds]` as .NET reads it; raises ValueError."""
    found = TIME_SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not a time span: write it as hours:minutes:seconds")
    parts = {name: float(value) for name, value in found.groupdict(default="0").items()}
    return timedelta(**parts)
