"""The states of pipelines and runs in Azure Data Factory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from mlevents.services.answer_fields import require_run_name


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline; `parameters` are those that it declares, or None when the app may not read them.

    `read` is the time of the answer by the service's clock, so that two clocks are never compared.
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
        """From the SDK's model; raises ValueError for anything but a run."""
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
    """The parameters that a pipeline declares; raises ValueError for an answer that is not a pipeline."""
    if pipeline is None or not pipeline.name:
        raise ValueError("the answer is not a pipeline")
    found: Mapping[str, Any] = pipeline.parameters or {}
    return found
