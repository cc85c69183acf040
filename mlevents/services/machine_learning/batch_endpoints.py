"""Batch endpoints of Azure Machine Learning: start a job, and find it again.

`BatchEndpointOperations.invoke` is not used: it keeps headers for later calls, sends the request up to five
times when an answer is lost, and has no tags and no way to find the job again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlevents.errors import ActionError, PermanentError
from mlevents.services.answer_fields import require_list, require_object, require_run_name
from mlevents.services.machine_learning.data_plane import DataPlane
from mlevents.services.machine_learning.resource_ids import check_name
from mlevents.services.machine_learning.states import KEY, JobState
from mlevents.services.paging import next_page
from mlevents.services.sdk_errors import translate_errors

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

FRONT_END = "/mferp/managementfrontend"
"""The path of Azure ML's front end: only it lists the jobs of a batch endpoint, and serves registries."""
JOBS_API = "2020-09-01-dataplanepreview"
REQUEST_IDS = uuid.UUID("b7c1a3f0-5f0e-4b8e-9a51-6d4f0c2e7a90")
"""The namespace of the request ids: a key gives the same id at every attempt."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A request to a batch endpoint; `key` is the same at every attempt, and marks the job.

    Only the mark identifies the job; no one else knows it before the request.

    `inputs` are in the form of the REST API: `{"jobInputType": "Literal", "value": …}`, `{"jobInputType":
    "UriFolder", "uri": …}`. Without a `deployment`, the endpoint's default deployment runs.
    """

    endpoint: str
    key: str
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    deployment: str | None = None
    experiment: str | None = None
    display_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The request; every field that can hold the mark holds it."""
        experiment = {"experimentName": self.experiment} if self.experiment else {}
        properties = {
            "name": self.key,
            "displayName": self.display_name,
            "inputData": dict(self.inputs),
            "tags": dict(self.tags),
            "properties": {**experiment, KEY: self.key},
        }
        return {"properties": {name: value for name, value in properties.items() if value}}

    def check(self) -> None:
        """Raise PermanentError for a name that is not safe in a path or a header."""
        check_name(self.endpoint, "batch endpoint")
        if self.deployment is not None:
            check_name(self.deployment, "batch deployment")


class BatchEndpoints:
    """The batch endpoints of one workspace."""

    def __init__(self, client: MLClient, data_plane: DataPlane) -> None:
        self._workspace = data_plane.workspace
        self._client = client
        self._data_plane = data_plane

    def invoke(self, wanted: Invocation) -> JobState:
        """Start a job, unless the endpoint already has the one with this mark.

        Azure ML may ignore the requested name (github.com/Azure/azure-sdk-for-python/issues/32763), so the
        mark is searched for in the endpoint's jobs, before the request and again when its answer is lost or
        unreadable. Two attempts at the same time rely on the repeatability header; it is not documented
        whether Azure ML honours it.
        """
        wanted.check()
        what = f"invoking batch endpoint '{wanted.endpoint}'"
        with translate_errors(what):
            if found := self._find(wanted):
                return found
            target = self._client.batch_endpoints.get(wanted.endpoint).scoring_uri
        try:
            with translate_errors(what):
                return _state(
                    self._data_plane.ask("POST", target, json=wanted.body(), headers=_headers(wanted))
                )
        except ActionError:
            with suppress(ActionError), translate_errors(what):
                if started := self._find(wanted):
                    return started
            raise

    def check_deployment(self, endpoint: str, deployment: str | None) -> None:
        """Raise PermanentError unless the endpoint exists, with this deployment or a default deployment."""
        Invocation(endpoint, "", deployment=deployment).check()
        with translate_errors(f"reading batch endpoint '{endpoint}'"):
            default = (self._client.batch_endpoints.get(endpoint).defaults or {}).get("deployment_name")
        if not (deployment or default):
            fact = f"batch endpoint '{endpoint}' has no default deployment"
            raise PermanentError(f"{fact}: set one, or give `deployment`")
        chosen = deployment or str(default)
        with translate_errors(f"reading deployment '{chosen}' of batch endpoint '{endpoint}'"):
            self._client.batch_deployments.get(chosen, endpoint)

    def _find(self, wanted: Invocation) -> JobState | None:
        jobs = self._jobs(wanted.endpoint)
        return next((_state(job) for job in jobs if _mark(job) == wanted.key), None)

    def _jobs(self, endpoint: str) -> Iterator[Mapping[str, Any]]:
        """The endpoint's jobs; none when Azure answers 404."""
        place = f"{self._workspace.id}/batchEndpoints/{quote(endpoint, safe='')}/jobs"
        page: str | None = f"{self._data_plane.address}{FRONT_END}{place}?api-version={JOBS_API}"
        read: set[str] = set()
        while page:
            read.add(page)
            answer = self._data_plane.ask("GET", page, missing={})
            yield from (require_object(job, "a job") for job in require_list(answer.get("value"), "value"))
            page = next_page(page, answer.get("nextLink"))
            if page in read:
                raise ValueError("nextLink leads to a page that was read before")


def _headers(wanted: Invocation) -> dict[str, str]:
    deployment = {"azureml-model-deployment": wanted.deployment} if wanted.deployment else {}
    return {"Repeatability-Request-ID": str(uuid.uuid5(REQUEST_IDS, wanted.key)), **deployment}


def _mark(job: Mapping[str, Any]) -> Any:
    """The mark of a job. The job's name does not count: anyone can use any name."""
    properties = require_object(job.get("properties") or {}, "properties")
    return require_object(properties.get("properties") or {}, "properties.properties").get(KEY)


def _state(job: Mapping[str, Any]) -> JobState:
    status = require_object(job.get("properties") or {}, "properties").get("status")
    return JobState(require_run_name(job.get("name"), "name"), str(status or "NotStarted"))
