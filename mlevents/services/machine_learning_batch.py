"""Batch endpoints of Azure Machine Learning: a job started by them, and found again.

`BatchEndpointOperations.invoke` is not used: it leaks headers into later calls, sends the request
up to five times when an answer is lost, and offers neither tags nor a way to find the job again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlevents.errors import PermanentError
from mlevents.services.azure import PATIENCE
from mlevents.services.importing import importing
from mlevents.services.machine_learning_ids import Workspace
from mlevents.services.machine_learning_states import JobState
from mlevents.services.sdk_errors import translated

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential

KEY = "mlevents.key"
"""The property by which a job is known as ours."""
JOBS_API = "2020-09-01-dataplanepreview"
REQUESTS = uuid.UUID("b7c1a3f0-5f0e-4b8e-9a51-6d4f0c2e7a90")
"""The namespace of our request ids: one key gives one id, at every attempt."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What to ask of a batch endpoint; `key` is the same at every attempt to ask it.

    `inputs` are on the wire form: `{"jobInputType": "Literal", "value": …}`, `{"jobInputType":
    "UriFolder", "uri": …}`. Without a `deployment`, the endpoint's default one runs.
    """

    endpoint: str
    key: str
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    deployment: str | None = None
    experiment: str | None = None
    display_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The request; whatever can carry a mark of ours carries it."""
        experiment = {"experimentName": self.experiment} if self.experiment else {}
        properties = {
            "name": self.key,
            "displayName": self.display_name,
            "inputData": dict(self.inputs),
            "tags": dict(self.tags),
            "properties": {**experiment, KEY: self.key},
        }
        return {"properties": {name: value for name, value in properties.items() if value}}


class BatchEndpoints:
    """The batch endpoints of one workspace."""

    def __init__(self, workspace: Workspace, client: MLClient, credential: TokenCredential) -> None:
        self._workspace = workspace
        self._client = client
        self._credential = credential

    def invoke(self, wanted: Invocation) -> JobState:
        """Start a job, unless the endpoint already has the one with this key.

        The name that we ask for may be passed over (github.com/Azure/azure-sdk-for-python/issues/32763),
        so the endpoint's jobs are looked through for our mark. Two attempts at the very same time
        rely on the repeatability header; whether Azure ML honours it is not documented.
        """
        with translated(f"invoking batch endpoint '{wanted.endpoint}'"):
            found = self._find(wanted)
            if found is None:
                target = self._client.batch_endpoints.get(wanted.endpoint).scoring_uri
                found = self._ask("POST", target, json=wanted.body(), headers=_headers(wanted))
        return _state(found)

    def must_have(self, endpoint: str, deployment: str | None) -> None:
        """Raise PermanentError unless there is such an endpoint, with this deployment or a default one."""
        with translated(f"reading batch endpoint '{endpoint}'"):
            default = (self._client.batch_endpoints.get(endpoint).defaults or {}).get("deployment_name")
        if not (deployment or default):
            raise PermanentError(f"batch endpoint '{endpoint}' has no default deployment")
        chosen = deployment or str(default)
        with translated(f"reading deployment '{chosen}' of batch endpoint '{endpoint}'"):
            self._client.batch_deployments.get(chosen, endpoint)

    def _find(self, wanted: Invocation) -> Mapping[str, Any] | None:
        return next((job for job in self._jobs(wanted.endpoint) if _is_ours(job, wanted.key)), None)

    def _jobs(self, endpoint: str) -> Iterator[Mapping[str, Any]]:
        """The endpoint's jobs; none where there is no such list."""
        place = f"{self._workspace.id}/batchEndpoints/{quote(endpoint, safe='')}/jobs"
        page: str | None = f"{self._front}{place}?api-version={JOBS_API}"
        while page:
            answer = self._ask("GET", page, missing={})
            yield from answer.get("value") or ()
            page = answer.get("nextLink")

    @cached_property
    def _front(self) -> str:
        """The workspace's own front end, which alone lists the jobs of a batch endpoint."""
        workspace = self._client.workspaces.get(self._workspace.name)
        return f"{self._ask('GET', workspace.discovery_url)['api']}/mferp/managementfrontend"

    @cached_property
    def _http(self) -> PipelineClient[Any, Any]:
        with importing():
            from azure.ai.ml._azure_environments import _get_aml_resource_id_from_metadata
            from azure.core import PipelineClient
            from azure.core.pipeline.policies import BearerTokenCredentialPolicy

        scope = f"{_get_aml_resource_id_from_metadata()}/.default"
        return PipelineClient("", policies=[BearerTokenCredentialPolicy(self._credential, scope)], **PATIENCE)

    def _ask(self, method: str, url: str, missing: Any = None, **content: Any) -> Mapping[str, Any]:
        with importing():
            from azure.core.rest import HttpRequest

        response = self._http.send_request(HttpRequest(method, url, **content))
        if response.status_code == HTTPStatus.NOT_FOUND and missing is not None:
            return dict(missing)
        response.raise_for_status()
        answer: Mapping[str, Any] = response.json()
        return answer


def _headers(wanted: Invocation) -> dict[str, str]:
    deployment = {"azureml-model-deployment": wanted.deployment} if wanted.deployment else {}
    return {"Repeatability-Request-ID": str(uuid.uuid5(REQUESTS, wanted.key)), **deployment}


def _is_ours(job: Mapping[str, Any], key: str) -> bool:
    properties = job.get("properties") or {}
    return key in (job.get("name"), properties.get("name"), (properties.get("properties") or {}).get(KEY))


def _state(job: Mapping[str, Any]) -> JobState:
    return JobState(str(job["name"]), str((job.get("properties") or {}).get("status") or "NotStarted"))
