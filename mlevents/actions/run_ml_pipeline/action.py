"""Start a pipeline of Azure Machine Learning once for each response, and follow it with `wait: true`.

```yaml
uses: run_ml_pipeline
with:
  job: deployments/retrain.yaml       # a pipeline job in the Azure ML CLI v2 schema …
  # component: retrain@latest         # … or a registered pipeline component, as name:version
  # batch_endpoint: retrain           # … or a batch endpoint, with its default `deployment`
  inputs: {learning_rate: 0.1, reference: {type: uri_folder, path: "azureml:reference:3"}}
  experiment_name: retrain
  wait: true                          # follow it to its end; a failed job fails the response
```

Exactly one of `job`, `component` and `batch_endpoint`. Nothing is uploaded: code, environments,
components and data are named by reference. `compute` is the pipeline's default compute. The job
carries `tags` and where it came from.

Later steps read `job`, `status` and `studio`.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, ClassVar, Self

from pydantic import Field, JsonValue, model_validator

from mlevents.actions.action import Action, Done, FileName, Outcome, Pending, StepContext, action
from mlevents.actions.documents import parse_document, require_remote
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.run_ml_pipeline.pipeline_inputs import invocation_inputs, with_inputs
from mlevents.actions.run_ml_pipeline.preflight import JOB_RIGHTS, NamedResources, check_job_needs
from mlevents.errors import PermanentError, TransientError
from mlevents.services.finding import Finding
from mlevents.services.machine_learning.batch_endpoints import Invocation
from mlevents.services.machine_learning.resource_ids import check_name, name_and_version
from mlevents.services.machine_learning.states import KEY, JobState
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.permission import Permission
from mlevents.services.services import Services
from mlevents.yamlfile.key_choice import KeyChoice

LOOK_AGAIN = 30.0
FAILED_JOB_STATES = frozenset({"Failed", "Canceled", "NotResponding"})


@action("run_ml_pipeline")
class RunMlPipeline(Action):
    """One job for each response, with the step's key as its name, so that a second attempt finds it."""

    causes: ClassVar[tuple[str, ...]] = ("run.completed", "run.status_changed")
    leads_to: ClassVar[tuple[str, ...]] = (
        "model.registered",
        "model.tagged",
        "run.completed",
        "run.status_changed",
    )

    permissions: ClassVar[tuple[Permission, ...]] = JOB_RIGHTS
    key_choices: ClassVar[tuple[KeyChoice, ...]] = (
        KeyChoice("job", optional=("compute",)),
        KeyChoice("component", optional=("compute",)),
        KeyChoice("batch_endpoint", optional=("deployment",)),
    )

    job: FileName | None = None
    """A file with a pipeline job in the CLI v2 schema, beside the rules; or write `component`."""
    component: str | None = None
    """A registered pipeline component, as `name:version` or `name@latest`, instead of `job`."""
    batch_endpoint: str | None = None
    """A batch endpoint, instead of `job` and `component`."""
    deployment: str | None = None
    """A deployment of the batch endpoint; its default deployment when left out."""
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    """Values for inputs; data is a map: `{type: uri_folder, path: "azureml:name:version"}`."""
    experiment_name: str | None = None
    """The experiment; by default that of the job, or the name of the file or component."""
    display_name: str | None = None
    """The name that Studio displays."""
    compute: str | None = None
    """The default compute of a `job` or `component`, such as cpu-cluster."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags of the job, in addition to those that mlevents sets."""
    wait: bool = False
    """Follows the job to its end: a job that fails or is cancelled fails the step."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for name in ("batch_endpoint", "deployment", "compute"):
            _check_name(name, getattr(self, name))
        _check_asset("component", self.component)
        return self

    def check(self, read: Callable[[str], str]) -> None:
        """Check the job's file; raises PermanentError. `read` gives the text of a file."""
        if self.job is not None:
            self._from_file(self.job, read(self.job))

    def preflight(self, context: Preflight) -> Iterator[Finding]:
        """Check the component, the batch endpoint, or the references of the job's file."""
        return check_job_needs(
            NamedResources(self.job, self.component, self.batch_endpoint, self.deployment, self.compute),
            context,
        )

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Submit the job, or find it; with `wait`, follow it."""
        machine_learning = services.machine_learning(context.event.topic)
        state = self._known(machine_learning, context) or self._start(machine_learning, context, services)
        studio = machine_learning.workspace.run_link(state.name)
        result = {"job": state.name, "status": state.status, "studio": studio}
        if not self.wait:
            return Done(f"job '{state.name}' is submitted: {studio}", result)
        if state.status == "Completed":
            return Done(f"job '{state.name}' is completed: {studio}", result)
        if state.status in FAILED_JOB_STATES:
            raise PermanentError(f"job '{state.name}' is {state.status}: see why at {studio}")
        return Pending(f"job '{state.name}' is {state.status}: {studio}", LOOK_AGAIN, {"job": state.name})

    def _known(self, machine_learning: MachineLearning, context: StepContext) -> JobState | None:
        """The job that an earlier attempt started; a batch endpoint finds its own jobs."""
        if "job" in context.progress:
            return machine_learning.jobs.job(context.progress["job"])
        if self.batch_endpoint is not None:
            return None
        found = machine_learning.jobs.job(context.key)
        if found is not None and found.mark != context.key:
            raise PermanentError(
                f"job '{found.name}' has the name of this step's job, but not our mark: someone else "
                "submitted it. Archive or delete it, then publish the event again under another id"
            )
        return found

    def _start(self, machine_learning: MachineLearning, context: StepContext, services: Services) -> JobState:
        if "job" in context.progress:
            # Azure may answer 404 for a moment for a job that exists.
            raise TransientError(
                f"job '{context.progress['job']}' is not found: check whether it was deleted"
            )
        tags = {**self.tags, **context.provenance, KEY: context.key}
        if self.batch_endpoint is not None:
            return machine_learning.batch.invoke(
                Invocation(
                    endpoint=self.batch_endpoint,
                    key=context.key,
                    inputs=invocation_inputs(self.inputs, machine_learning.workspace),
                    deployment=self.deployment,
                    experiment=self.experiment_name,
                    display_name=self.display_name,
                    tags=tags,
                )
            )
        document = self._document(machine_learning, services)
        document["tags"] = {**(document.get("tags") or {}), **tags}
        return machine_learning.jobs.submit(context.key, document)

    def _document(self, machine_learning: MachineLearning, services: Services) -> dict[str, Any]:
        if self.job is not None:
            return self._from_file(self.job, services.read(self.job))
        pinned = machine_learning.jobs.component(self.component or "")
        document = {"type": "pipeline", "component": pinned, "inputs": dict(self.inputs)}
        return self._completed(document, re.split("[:@]", self.component or "")[0])

    def _from_file(self, name: str, text: str) -> dict[str, Any]:
        document = parse_document(name, text)
        if document.get("type", "pipeline") != "pipeline":
            raise PermanentError(f"'{name}' is a {document['type']} job: only pipeline jobs are run")
        inputs = with_inputs(name, document.get("inputs") or {}, self.inputs)
        return self._completed({**document, "type": "pipeline", "inputs": inputs}, PurePosixPath(name).stem)

    def _completed(self, document: dict[str, Any], default: str) -> dict[str, Any]:
        """The document with the rule's settings; by default the SDK uses the working directory's name."""
        settings = {**(document.get("settings") or {})}
        if self.compute is not None:
            settings["default_compute"] = f"azureml:{self.compute.removeprefix('azureml:')}"
        named = {"display_name": self.display_name} if self.display_name else {}
        experiment = self.experiment_name or document.get("experiment_name") or default
        whole = {**document, **named, "experiment_name": experiment, "settings": settings}
        return require_remote(self.job or f"component {self.component}", whole)


def _check_name(parameter: str, text: str | None) -> None:
    """Raise ValueError for a name that is not safe in a path; an expression is checked later."""
    if text is None or "${" in text:
        return
    try:
        check_name(text.removeprefix("azureml:"), parameter.replace("_", " "))
    except PermanentError as error:
        raise ValueError(f"`{parameter}`: {error}") from None


def _check_asset(parameter: str, text: str | None) -> None:
    """Raise ValueError for what is not `name:version` or `name@label`, unless an event fills it in."""
    if text is None or "${" in text:
        return
    try:
        name_and_version(text)
    except PermanentError as error:
        raise ValueError(f"`{parameter}`: {error}") from None
