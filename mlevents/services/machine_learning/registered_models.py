"""Registered models of Azure Machine Learning: their names, versions, tags and creation times.

Each method sends one request, so that a caller can repeat it when Azure asks it to wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote, urlencode

from mlevents.errors import RefusedError
from mlevents.services.answer_fields import require_list, require_object, require_text, require_time
from mlevents.services.arm_client import ArmClient
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.machine_learning.workspace_resource import read_workspace
from mlevents.services.paging import Page, next_page
from mlevents.services.sdk_errors import translate_errors

MODELS_API = "2024-10-01"
JOB_PATH = re.compile(r"(?:^runs:/|/jobs/|/dcid\.)([^/]+)")
"""The job in the address of a model's files: `azureml://jobs/NAME/outputs/…`, `runs:/NAME/…`."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model, with the tags that it has now.

    `created_by` is who registered it, and `created_by_type` what that is: `User`, `Application`,
    `ManagedIdentity` or `Key`; both are empty where Azure does not tell. `job` is the run that registered it,
    or whose output it is; empty where that is unknown. `stage` is Azure ML's own, not a tag. `modified` is
    when the version changed last.
    """

    name: str
    version: str
    created: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    archived: bool = False
    job: str = ""
    created_by: str = ""
    created_by_type: str = ""
    stage: str = ""
    modified: datetime | None = None

    @classmethod
    def read(cls, name: str, resource: Mapping[str, Any]) -> Self:
        """From the resource as ARM sends it; raises ValueError for one without a version or a time."""
        properties = require_object(resource.get("properties"), "properties")
        system = require_object(resource.get("systemData"), "systemData")
        changed = system.get("lastModifiedAt")
        return cls(
            name=name,
            version=require_text(resource.get("name"), "name"),
            created=require_time(system.get("createdAt"), "createdAt"),
            tags=dict(properties.get("tags") or {}),
            properties=dict(properties.get("properties") or {}),
            archived=properties.get("isArchived") is True,
            job=_find_job(properties),
            created_by=str(system.get("createdBy") or ""),
            created_by_type=str(system.get("createdByType") or ""),
            stage=str(properties.get("stage") or ""),
            modified=require_time(changed, "lastModifiedAt") if changed else None,
        )


def _find_job(properties: Mapping[str, Any]) -> str:
    """The job of a model: `jobName` of the REST API 2024-10-01, else the job in the path of its files."""
    own = (properties.get("jobName"), (properties.get("properties") or {}).get("azureml.runid"))
    if named := next((str(one) for one in own if one), ""):
        return named.rstrip("/").rpartition("/")[2]
    found = JOB_PATH.search(str(properties.get("modelUri") or ""))
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """The name of a registered model; `archived` says that it is archived with all its versions."""

    name: str
    archived: bool = False

    @classmethod
    def read(cls, resource: Mapping[str, Any]) -> Self:
        """From the container as ARM sends it; raises ValueError for one without a name."""
        properties = require_object(resource.get("properties") or {}, "properties")
        return cls(require_text(resource.get("name"), "name"), properties.get("isArchived") is True)


class RegisteredModels:
    """The registered models of one workspace, archived ones too."""

    def __init__(self, workspace: Workspace, resource_manager: str) -> None:
        self.workspace = workspace
        self._arm = ArmClient(resource_manager)

    def list_models(self, following: str | None = None) -> Page[ListedModel]:
        """A page of all models."""
        url = following or self._url("", {"listViewType": "All"})
        with translate_errors("listing the models"):
            return self._page(url, ListedModel.read)

    def list_names(self, following: str | None = None) -> Page[str]:
        """A page of the names of all models."""
        page = self.list_models(following)
        return Page(tuple(one.name for one in page.values), page.following)

    def list_versions(self, name: str, following: str | None = None) -> Page[ModelVersion]:
        """A page of the versions of a model, the newest first; empty when Azure answers 404."""
        query = {"listViewType": "All", "$orderBy": "createdtime desc"}
        url = following or self._url(f"/{quote(name, safe='')}/versions", query)
        try:
            with translate_errors(f"listing the versions of model '{name}'"):
                return self._page(url, lambda one: ModelVersion.read(name, one))
        except RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return Page((), None)

    def find_version(self, name: str, version: str) -> ModelVersion | None:
        """One version of a model; None when Azure answers 404."""
        with translate_errors(f"reading model '{name}:{version}'"):
            found = self._arm.find(self._path(name, version), MODELS_API)
            return ModelVersion.read(name, found) if found else None

    def put_version(self, name: str, version: str, properties: Mapping[str, Any]) -> None:
        """Register a version of a model; Azure refuses another `modelUri` for one that exists."""
        with translate_errors(f"registering model '{name}:{version}' in workspace '{self.workspace.name}'"):
            self._arm.put(self._path(name, version), MODELS_API, {"properties": dict(properties)})

    def find_asset_id(self, name: str, version: str) -> str:
        """The id of a model by which a registry finds it: with the workspace's region and GUID."""
        self.workspace.asset("models", name, version)  # raises PermanentError for a name that is not valid
        found = read_workspace(self._arm, self.workspace)
        with translate_errors(f"reading workspace '{self.workspace.name}'"):
            guid = found.guid
        return f"azureml://locations/{found.region}/workspaces/{guid}/models/{name}/versions/{version}"

    def is_archived(self, name: str) -> bool:
        """Whether a model is archived with all its versions, whose own marks stay as they are."""
        with translate_errors(f"reading model '{name}'"):
            found = self._arm.find(f"{self.workspace.id}/models/{quote(name, safe='')}", MODELS_API) or {}
            return require_object(found.get("properties", {}), "properties").get("isArchived") is True

    def _path(self, name: str, version: str) -> str:
        return f"{self.workspace.id}/models/{quote(name, safe='')}/versions/{quote(version, safe='')}"

    def _page[T](self, url: str, read: Callable[[Mapping[str, Any]], T]) -> Page[T]:
        answer = self._arm.get(url)
        values = require_list(answer.get("value"), "value")
        elements = [require_object(one, "an element of the list") for one in values]
        return Page(tuple(map(read, elements)), next_page(url, answer.get("nextLink")))

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        parameters = urlencode({"api-version": MODELS_API, **query})
        return f"{self._arm.address}{self.workspace.id}/models{path}?{parameters}"
