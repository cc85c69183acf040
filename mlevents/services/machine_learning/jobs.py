"""Jobs of Azure Machine Learning: submitted under a name of ours, found again by it, followed."""

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
        """The job, or None when there is none of this name."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        with translate_errors(f"reading job '{name}'"):
            try:
                found = self._client.jobs.get(name)
            except ResourceNotFoundError:
                return None
            return _state(found)

    def submit(self, name: str, document: Mapping[str, Any]) -> JobState:
        """Submit a pipeline job in the CLI v2 schema under this name, or find it submitted already.

        The document must name everything by reference: the SDK would upload what is local.
        """
        with import_lock():
            from azure.ai.ml import load_job

        what = f"submitting job '{name}'"
        job = load_entity(load_job, {**document, "name": name}, what)
        try:
            with translate_errors(what):
                return _state(self._client.jobs.create_or_update(job))
        except ActionError:
            found = self.job(name)  # two attempts at once, or the answer was lost or unreadable
            if found is None or found.mark != (document.get("tags") or {}).get(KEY, ""):
                raise
            return found

    def component(self, reference: str) -> str:
        """A pipeline component named `name:version` or `name@latest`, as `azureml:` and its ARM id.

        The short form would not do: the SDK sends a whole job's component as it is written.
        """
        with translate_errors(f"reading component '{reference}'"):
            found = self._component(reference)
            kind, place = str(found.type), _arm_id(found.id)
        if kind != "pipeline":
            raise PermanentError(f"component '{reference}' is a {kind} component: name a pipeline component")
        return f"azureml:{place}"

    def check_component(self, reference: str) -> None:
        """Raise PermanentError unless there is such a component, of whatever type."""
        self._component(reference)

    def check_compute(self, name: str) -> None:
        """Raise PermanentError unless there is such a compute."""
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
    """The SDK's status is an enumeration for the names that it knows, and text for others."""
    status = str(getattr(job.status, "value", job.status) or "NotStarted")
    return JobState(require_run_name(job.name, "name"), status, str((job.tags or {}).get(KEY) or ""))
