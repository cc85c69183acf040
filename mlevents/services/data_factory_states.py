"""Pipelines and runs of Azure Data Factory as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline as its factory knows it: `parameters` it declares, or None where we may not read it.

    `read` is the service's own time of the answer, so that no clock of ours is compared with its.
    `required` are the parameters without a default value.
    """

    read: datetime
    parameters: frozenset[str] | None
    required: frozenset[str] = frozenset()


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
    def read(cls, found: Any) -> Self:
        """From the SDK's model of it."""
        invoked_by = found.invoked_by
        return cls(
            id=str(found.run_id),
            status=str(found.status or ""),
            message=" ".join(str(found.message or "").split()),
            parameters=dict(found.parameters or {}),
            started=found.run_start,
            invoked_by=invoked_by.invoked_by_type if invoked_by else None,
        )
