"""Preflight checks of `run_ml_pipeline`: components, computes and batch endpoints; the rights."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mlevents.actions.documents import parse_document
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.unresolved_parameters import is_unresolved, report_unresolved
from mlevents.services.finding import Finding, run_check
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.permission import (
    COMPUTE_OPERATOR,
    DATA_SCIENTIST,
    ML,
    READER,
    WORKSPACE_SCOPE,
    Permission,
    actions_below,
)

_JOB = ("job", "component")
_BATCH = ("batch_endpoint",)
JOB_RIGHTS = (
    Permission(WORKSPACE_SCOPE, READER, actions_below(ML, "read")),
    # learn.microsoft.com/azure/machine-learning/how-to-assign-roles, "Submit a training run"
    Permission(
        WORKSPACE_SCOPE,
        DATA_SCIENTIST,
        actions_below(
            ML,
            "*/read",
            "jobs/*",
            "environments/write",
            "environments/build/action",
            "environments/readSecrets/action",
            "metadata/artifacts/write",
        ),
        given=_JOB,
    ),
    # learn.microsoft.com/azure/machine-learning/how-to-authenticate-batch-endpoint, "Configure RBAC for
    # batch endpoint invoke"; jobs/read and the jobs' own reads are what following the run takes.
    Permission(
        WORKSPACE_SCOPE,
        DATA_SCIENTIST,
        actions_below(
            ML,
            *("data/versions/write", "datasets/registered/read", "datasets/registered/write"),
            *("datasets/unregistered/read", "datasets/unregistered/write"),
            *("datastores/read", "datastores/write", "datastores/listSecrets/action"),
            "listStorageAccountKeys/action",
            *("batchEndpoints/read", "batchEndpoints/write"),
            *("batchEndpoints/deployments/read", "batchEndpoints/deployments/write"),
            *("batchEndpoints/jobs/read", "batchEndpoints/jobs/write"),
            *("batchEndpoints/deployments/jobs/read", "batchEndpoints/deployments/jobs/write"),
            "computes/read",
            *("metadata/secrets/read", "metadata/snapshots/read"),
            *("metadata/artifacts/read", "metadata/artifacts/write"),
            *("experiments/read", "experiments/runs/read", "experiments/runs/write"),
            "experiments/runs/submit/action",
            "metrics/resource/write",
            *("modules/read", "models/read"),
            *("endpoints/pipelines/read", "endpoints/pipelines/write"),
            *("environments/read", "environments/write", "environments/build/action"),
            "environments/readSecrets/action",
            "jobs/read",
        ),
        given=_BATCH,
    ),
    # On the same list, and excepted from AzureML Data Scientist.
    Permission(
        WORKSPACE_SCOPE, COMPUTE_OPERATOR, actions_below(ML, "computes/listKeys/action"), given=_BATCH
    ),
)
SERVERLESS = "serverless"
AZUREML_PREFIX = "azureml:"


@dataclass(frozen=True, slots=True)
class NamedResources:
    """The resources that a step's parameters name."""

    job: str | None
    component: str | None
    batch_endpoint: str | None
    deployment: str | None
    compute: str | None

    def open(self) -> Iterator[tuple[str, str]]:
        """The parameters that only an event fills in, with their texts."""
        for name in ("job", "component", "batch_endpoint", "deployment", "compute"):
            text = getattr(self, name)
            if text is not None and is_unresolved(text):
                yield name, text

    def known(self, name: str) -> str | None:
        """The parameter, if it is set and needs no event."""
        text: str | None = getattr(self, name)
        return None if text is None or is_unresolved(text) else text


def check_job_needs(named: NamedResources, context: Preflight) -> Iterator[Finding]:
    """Check for each workspace whether the named resources exist."""
    for name, text in named.open():
        yield report_unresolved(name, text)
    for workspace in context.workspaces:
        opened = context.services.machine_learning(workspace)
        place = f"in workspace '{opened.workspace.name}'"
        if component := named.known("component"):
            yield _pipeline(opened, component, place)
        if endpoint := named.known("batch_endpoint"):
            yield _batch(opened, endpoint, named.known("deployment"), place)
        if job := named.known("job"):
            yield from _job(opened, parse_document(job, context.read(job)), place)
        if compute := named.known("compute"):
            yield _compute(opened, compute, place)


def _pipeline(opened: MachineLearning, reference: str, place: str) -> Finding:
    def registered() -> str:
        opened.jobs.component(reference)
        return "is registered"

    remedy = "register the pipeline component, or correct `component`"
    return run_check(f"component '{reference}' {place}", registered, remedy)


def _batch(opened: MachineLearning, endpoint: str, deployment: str | None, place: str) -> Finding:
    def read_endpoint() -> str:
        opened.batch.check_deployment(endpoint, deployment)
        return f"is there, with its deployment '{deployment}'" if deployment else "is there"

    remedy = "create it, or correct `batch_endpoint` and `deployment`"
    return run_check(f"batch endpoint '{endpoint}' {place}", read_endpoint, remedy)


def _job(opened: MachineLearning, document: Mapping[str, Any], place: str) -> Iterator[Finding]:
    steps = [step for step in (document.get("jobs") or {}).values() if isinstance(step, Mapping)]
    for text in _texts(steps, "component"):
        if text.startswith(AZUREML_PREFIX) and "/" not in text:
            about = f"component '{text.removeprefix(AZUREML_PREFIX)}' {place}"
            yield run_check(
                about, partial(_registered, opened, text), "register it, or correct the job's file"
            )
    settings = document.get("settings")
    defaults = _texts([settings], "default_compute") if isinstance(settings, Mapping) else []
    for text in dict.fromkeys([*_texts([document, *steps], "compute"), *defaults]):
        yield _compute(opened, text, place)


def _registered(opened: MachineLearning, reference: str) -> str:
    opened.jobs.check_component(reference)
    return "is registered"


def _texts(mappings: list[Mapping[str, Any]], key: str) -> list[str]:
    found = [mapping.get(key) for mapping in mappings]
    return list(dict.fromkeys(text for text in found if isinstance(text, str) and not is_unresolved(text)))


def _compute(opened: MachineLearning, text: str, place: str) -> Finding:
    name = text.removeprefix(AZUREML_PREFIX)
    about = f"compute '{name}' {place}"
    if name == SERVERLESS:
        return Finding(about, True, "needs no compute of its own")

    def read_endpoint() -> str:
        opened.jobs.check_compute(name)
        return "is there"

    return run_check(about, read_endpoint, "create it, or name another compute")
