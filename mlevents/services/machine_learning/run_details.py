"""What the history of runs tells of one run beyond its status: its error, its compute, its owner, its logs.

The members are those of `RunDetails` and `ErrorResponse` in azure-ai-ml (`_restclient/runhistory/models`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from mlevents.services.answer_fields import require_text, require_time

DEEPEST_ERROR = 10


@dataclass(frozen=True, slots=True)
class RunDetails:
    """One run with its error: `code` is the most specific one. `logs` are addresses by path in the run.

    `name` is what Studio shows. A member that the service leaves out is empty, or None for a time.
    """

    id: str
    status: str
    name: str = ""
    code: str = ""
    message: str = ""
    compute: str = ""
    owner: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    logs: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it does, and for a run that never started."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, (self.ended - self.started).total_seconds())

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """From the service's answer, a run or its details; raises ValueError for anything else."""
        error, owner = _map(_map(found.get("error")).get("error")), _map(found.get("createdBy"))
        properties = _map(found.get("properties"))
        name = found.get("displayName") or properties.get("azureml.moduleName") or found.get("runId")
        return cls(
            id=require_text(found.get("runId"), "runId"),
            status=require_text(found.get("status"), "status"),
            name=str(name),
            code=_find_code(error),
            message=str(error.get("message") or ""),
            compute=str(found.get("target") or _map(found.get("compute")).get("target") or ""),
            owner=str(owner.get("userName") or owner.get("upn") or ""),
            started=_read_time(found, "startTimeUtc"),
            ended=_read_time(found, "endTimeUtc"),
            logs={str(path): str(place) for path, place in _map(found.get("logFiles")).items()},
        )


def _find_code(error: Mapping[str, Any]) -> str:
    """The code of the innermost error that has one: the outer ones only say whose fault it is."""
    code = ""
    for _ in range(DEEPEST_ERROR):
        code = str(error.get("code") or code)
        error = _map(error.get("innerError"))
    return code


def _read_time(found: Mapping[str, Any], name: str) -> datetime | None:
    return require_time(found[name], name) if found.get(name) else None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
