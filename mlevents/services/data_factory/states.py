"""The states of pipelines and runs in Azure Data Factory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from mlevents.services.answer_fields import require_object, require_run_name, require_text, require_time


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline; `parameters` are those that it declares, or None when the app may not read them.

    `read` is the time of the answer by the service's clock, so that two clocks are never compared.
    `required` are the parameters without a default value.
    """

    read: datetime
    parameters: frozenset[str] | None
    required: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, answer: Any, read: datetime) -> Self:
        """From the resource as ARM sends it; raises ValueError for anything but a pipeline."""
        found = require_object(answer, "the answer")
        require_text(found.get("name"), "name")
        properties = require_object(found.get("properties"), "properties")
        declared = require_object(properties.get("parameters") or {}, "parameters")
        members = {name: require_object(one, "a parameter") for name, one in declared.items()}
        required = frozenset(name for name, one in members.items() if one.get("defaultValue") is None)
        return cls(read, frozenset(members), required)


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run; Data Factory gives the values of its parameters as text."""

    id: str
    status: str
    message: str
    parameters: Mapping[str, str]
    started: datetime | None
    invoked_by: str | None

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """From the run as ARM sends it; raises ValueError for anything but a run."""
        started = found.get("runStart")
        invoked_by = require_object(found.get("invokedBy") or {}, "invokedBy")
        return cls(
            id=require_run_name(found.get("runId"), "runId"),
            status=str(found.get("status") or ""),
            message=" ".join(str(found.get("message") or "").split()),
            parameters=dict(require_object(found.get("parameters") or {}, "parameters")),
            started=require_time(started, "runStart") if started else None,
            invoked_by=invoked_by.get("invokedByType"),
        )
