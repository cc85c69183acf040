"""Pipelines and runs of Azure Data Factory as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from mlevents.services.answer_fields import require_run_name


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
        """From the SDK's model of it; raises ValueError for what is not a run."""
        invoked_by = found.invoked_by
        return cls(
            id=require_run_name(found.run_id, "runId"),
            status=str(found.status or ""),
            message=" ".join(str(found.message or "").split()),
            parameters=dict(found.parameters or {}),
            started=found.run_start,
            invoked_by=invoked_by.invoked_by_type if invoked_by else None,
        )


def declared_parameters(pipeline: Any) -> Mapping[str, Any]:
    """The parameters that a pipeline declares; raises ValueError for an answer that is no pipeline."""
    if pipeline is None or not pipeline.name:
        raise ValueError("the answer is not a pipeline")
    found: Mapping[str, Any] = pipeline.parameters or {}
    return found
