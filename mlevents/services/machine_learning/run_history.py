"""The history of runs: every run of a workspace with its steps and trials, as Studio lists them.

Resource Manager lists jobs only: not their steps, which carry a monitor's breaches, and not the ids of
experiments. azure-ai-ml asks the same service for the children of a job (`_restclient/runhistory`, where the
requests and the members of a run come from); the names in filters are those of azureml-core (`_odata`).

Each method sends one request, so that a caller can repeat it when Azure asks it to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote

from mlevents.errors import RefusedError
from mlevents.services.answer_fields import require_list, require_object, require_text, require_time
from mlevents.services.machine_learning.data_plane import DataPlane
from mlevents.services.machine_learning.run_details import RunDetails
from mlevents.services.paging import Page
from mlevents.services.sdk_errors import translate_errors

RUNS_A_PAGE = 100
"""Runs a page."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """The experiment that a run belongs to."""

    id: str
    name: str

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """From the service's answer; raises ValueError for anything but an experiment."""
        return cls(require_text(found.get("experimentId"), "experimentId"), str(found.get("name") or ""))


@dataclass(frozen=True, slots=True)
class HistoricRun:
    """One run as it is now; `changed` is when it got its status, as far as the service remembers."""

    id: str
    status: str
    type: str | None
    experiment_id: str
    created: datetime
    changed: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    root: str = ""

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """From the service's answer; raises ValueError for anything but a run."""
        created = require_time(found.get("createdUtc"), "createdUtc")
        later = next((found[name] for name in ("endTimeUtc", "startTimeUtc") if found.get(name)), None)
        return cls(
            id=require_text(found.get("runId"), "runId"),
            status=require_text(found.get("status"), "status"),
            type=found.get("runType"),
            experiment_id=str(found.get("experimentId") or ""),
            created=created,
            changed=require_time(later, "the run's time") if later else created,
            tags=dict(found.get("tags") or {}),
            properties=dict(found.get("properties") or {}),
            parent=str(found.get("parentRunId") or ""),
            root=str(found.get("rootRunId") or ""),
        )


class RunHistory:
    """The runs that one workspace remembers."""

    def __init__(self, data_plane: DataPlane) -> None:
        self._data_plane = data_plane

    def list_experiments(self, following: str | None = None) -> Page[Experiment]:
        """A page of the experiments, archived ones too; `following` is the last page's."""
        with translate_errors("listing the experiments"):
            return self._query("/experiments:query", {"viewType": "All"}, following, Experiment.read)

    def list_runs(
        self, experiment: Experiment, created: datetime, following: str | None = None
    ) -> Page[HistoricRun]:
        """A page of the runs of an experiment that were created at or after a time; empty after a 404."""
        moment = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"filter": f"(CreatedUtc ge {moment})", "orderBy": "CreatedUtc desc", "top": RUNS_A_PAGE}
        path = f"/experimentids/{quote(experiment.id, safe='')}/runs:query"
        try:
            with translate_errors(f"listing the runs of experiment '{experiment.name}'"):
                return self._query(path, query, following, HistoricRun.read)
        except RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return Page((), None)

    def find_run(self, run_id: str) -> HistoricRun | None:
        """One run, or None when Azure answers 404."""
        with translate_errors(f"reading run '{run_id}'"):
            found = self._data_plane.ask("GET", self._url(f"/runs/{quote(run_id, safe='')}"), missing={})
            return HistoricRun.read(found) if found else None

    def find_details(self, run_id: str) -> RunDetails | None:
        """One run with its error and its logs, or None when Azure answers 404."""
        with translate_errors(f"reading run '{run_id}'"):
            path = f"/runs/{quote(run_id, safe='')}/details"
            found = self._data_plane.ask("GET", self._url(path), missing={})
            return RunDetails.read(found) if found else None

    def list_children(self, run_id: str) -> tuple[RunDetails, ...]:
        """The steps or trials of a run, at most a page of them, without logs; empty after a 404."""
        with translate_errors(f"listing the steps of run '{run_id}'"):
            url = self._url(f"/runs/{quote(run_id, safe='')}/children")
            answer = self._data_plane.ask("GET", url, missing={}, params={"$top": RUNS_A_PAGE})
            values = require_list(answer.get("value"), "value")
            return tuple(RunDetails.read(require_object(one, "a run")) for one in values)

    def find_experiment(self, experiment_id: str) -> Experiment | None:
        """One experiment, or None when Azure answers 404."""
        path = f"/experimentids/{quote(experiment_id, safe='')}"
        with translate_errors(f"reading experiment '{experiment_id}'"):
            found = self._data_plane.ask("GET", self._url(path), missing={})
            return Experiment.read(found) if found else None

    def _query[T](
        self,
        path: str,
        query: Mapping[str, Any],
        following: str | None,
        read: Callable[[Mapping[str, Any]], T],
    ) -> Page[T]:
        body = {**query, "continuationToken": following} if following else dict(query)
        answer = self._data_plane.ask("POST", self._url(path), json=body)
        values = [require_object(one, "an element") for one in require_list(answer.get("value"), "value")]
        token = answer.get("continuationToken")
        if following and token == following:
            raise ValueError("continuationToken leads to the same page again")
        return Page(tuple(map(read, values)), require_text(token, "continuationToken") if token else None)

    def _url(self, path: str) -> str:
        return f"{self._data_plane.address}/history/v1.0{self._data_plane.workspace.id}{path}"
