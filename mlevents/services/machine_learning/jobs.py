"""Jobs of Azure Machine Learning: submit a job under a fixed name, find and follow it by that name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlevents.errors import ActionError, PermanentError
from mlevents.services.answer_fields import require_run_name
from mlevents.services.lazy_import import import_lock
from mlevents.services.machine_learning.resource_ids import check_name, name_and_version
from mlevents.services.machine_learning.states import KEY, JobState
from mlevents.services.machine_learning.yaml_entities import load_entity
from mlevents.services.sdk_errors import translate_errors

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, client: MLClient) -> None:
        self._client = client

    def job(self, name: str) -> JobState | None:
        """The job, or None when Azure answers 404."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        with translate_errors(f"reading job '{name}'"):
            try:
                found = self._client.jobs.get(name)
            except ResourceNotFoundError:
                return None
            return _state(found)

    def submit(self, name: str, document: Mapping[str, Any]) -> JobState:
        """Submit a pipeline job in the CLI v2 schema under this name, or return the job that exists.

        The document must reference everything by name: the SDK would upload local files.
        """
        with import_lock():
            from azure.ai.ml import load_job

        what = f"submitting job '{name}'"
        job = load_entity(load_job, {**document, "name": name}, what)
        try:
            with translate_errors(what):
                return _state(self._client.jobs.create_or_update(job))
        except ActionError:
            found = self.job(name)  # two attempts at the same time, or a lost or unreadable answer
            if found is None or found.mark != (document.get("tags") or {}).get(KEY, ""):
                raise
            return found

    def component(self, reference: str) -> str:
        """The reference `azureml:<ARM id>` of a pipeline component `name:version` or `name@latest`.

        The SDK sends the component of a complete job as it is written, so the short form would not work.
        """
        with translate_errors(f"reading component '{reference}'"):
            found = self._component(reference)
            kind, place = str(found.type), _arm_id(found.id)
        if kind != "pipeline":
            raise PermanentError(f"component '{reference}' is a {kind} component: use a pipeline component")
        return f"azureml:{place}"

    def check_component(self, reference: str) -> None:
        """Raise PermanentError unless the component exists; its type does not matter."""
        self._component(reference)

    def check_compute(self, name: str) -> None:
        """Raise PermanentError unless the compute exists."""
        check_name(name, "compute")
        with translate_errors(f"reading compute '{name}'"):
            self._client.compute.get(name)

    def _component(self, reference: str) -> Any:
        name, version, label = name_and_version(reference)
        with translate_errors(f"reading component '{reference}'"):
            return self._client.components.get(name, version=version or None, label=label or None)


def _arm_id(value: object) -> str:
    """The ARM id; raises ValueError for anything else."""
    if isinstance(value, str) and value.startswith("/"):
        return value
    raise ValueError("the component has no id")


def _state(job: Any) -> JobState:
    """The SDK's status is an enumeration member for known names, and text for others."""
    status = str(getattr(job.status, "value", job.status) or "NotStarted")
    return JobState(require_run_name(job.name, "name"), status, str((job.tags or {}).get(KEY) or ""))
