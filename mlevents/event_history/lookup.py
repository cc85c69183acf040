"""The events of one model or one run, as Azure sent them or would send them now."""

from typing import Protocol

from mlevents.errors import PermanentError
from mlevents.event_history.rebuilt_event import EventDocument, rebuild_model_event, rebuild_run_events
from mlevents.services.machine_learning.registered_models import ModelVersion
from mlevents.services.machine_learning.resource_ids import name_and_version
from mlevents.services.machine_learning.run_history import Experiment, HistoricRun


class FindsModels(Protocol):
    """Finds one version of a model; see `RegisteredModels`."""

    def find_version(self, name: str, version: str) -> ModelVersion | None:
        """The version; None when there is none."""
        ...


class FindsRuns(Protocol):
    """Finds one run; see `RunHistory`."""

    def find_run(self, run_id: str) -> HistoricRun | None:
        """The run; None when there is none."""
        ...

    def find_experiment(self, experiment_id: str) -> Experiment | None:
        """The experiment; None when there is none."""
        ...


def find_model_event(models: FindsModels, topic: str, reference: str) -> EventDocument:
    """The event of a model `name:version`; raises PermanentError when it is not registered."""
    name, version, _ = name_and_version(reference)
    found = models.find_version(name, version) if version else None
    if found is None:
        remedy = "check its name and version" if version else "write name:version"
        raise PermanentError(f"the model '{reference}' is not registered in {topic}: {remedy}")
    return rebuild_model_event(topic, found)


def find_run_events(runs: FindsRuns, topic: str, run_id: str) -> list[EventDocument]:
    """The events of the status that a run has; raises PermanentError when there is no such run."""
    found = runs.find_run(run_id)
    if found is None:
        raise PermanentError(
            f"there is no run '{run_id}' in {topic}: give the run's id, which Studio calls the job's name"
        )
    return list(rebuild_run_events(topic, found, runs.find_experiment(found.experiment_id)))
