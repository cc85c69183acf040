"""The events of a workspace's past, rebuilt page by page from its models and its runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from mlevents.event_history.rebuilt_event import EventDocument, rebuild_model_event, rebuild_run_events
from mlevents.event_history.throttling import ThrottlePatience
from mlevents.services.machine_learning.registered_models import ModelVersion
from mlevents.services.machine_learning.run_history import Experiment, HistoricRun
from mlevents.services.paging import Page

LONGEST_RUN = timedelta(days=7)
"""A run is asked for by its creation and counts by its end: this much earlier it may have been created."""

LIMITS = (
    "the statuses that a run had before its last one",
    "tags and properties as they were then: models and runs have those of now",
    "models and runs that were deleted",
    f"runs created more than {LONGEST_RUN.days} days before the first event",
    "model.deployed, model.tagged, and drift.detected of data drift (v1): Azure ML keeps no list of them",
)
"""What cannot be rebuilt, for people."""


class Models(Protocol):
    """The registered models of a workspace; see `RegisteredModels`."""

    def list_names(self, following: str | None = None) -> Page[str]:
        """A page of names."""
        ...

    def list_versions(self, name: str, following: str | None = None) -> Page[ModelVersion]:
        """A page of versions, the newest first."""
        ...


class Runs(Protocol):
    """The runs of a workspace; see `RunHistory`."""

    def list_experiments(self, following: str | None = None) -> Page[Experiment]:
        """A page of experiments."""
        ...

    def list_runs(
        self, experiment: Experiment, created: datetime, following: str | None = None
    ) -> Page[HistoricRun]:
        """A page of the runs created since then."""
        ...


class HistoryProgress(Protocol):
    """What is reported while the history is read."""

    def start(self, what: str, total: int) -> None:
        """So many models, or experiments, are going to be read."""
        ...

    def advance(self, events: int) -> None:
        """One of them was read, and gave so many events."""
        ...


class NoProgress:
    """Tells nothing."""

    def start(self, what: str, total: int) -> None: ...

    def advance(self, events: int) -> None: ...


@dataclass(frozen=True, slots=True)
class EventHistory:
    """The events of one workspace since a time; `topic` is its ARM id.

    Reading raises PermanentError where a right is missing, TransientError when Azure keeps failing.
    """

    topic: str
    since: datetime
    models: Models
    runs: Runs
    patience: ThrottlePatience = field(default_factory=ThrottlePatience)
    progress: HistoryProgress = field(default_factory=NoProgress)

    def read_events(self) -> list[EventDocument]:
        """Every event that can be rebuilt, the oldest first."""
        read = [*self._read_models(), *self._read_runs()]
        events = {str(one["id"]): one for one in read}.values()  # pages overlap when something is added
        return sorted(events, key=lambda one: (str(one["eventTime"]), str(one["id"])))

    def _read_models(self) -> Iterator[EventDocument]:
        names = list(self._pages(self.models.list_names))
        self.progress.start("models", len(names))
        for name in names:
            found = [rebuild_model_event(self.topic, one) for one in self._read_versions(name)]
            self.progress.advance(len(found))
            yield from found

    def _read_versions(self, name: str) -> Iterator[ModelVersion]:
        """The versions since the time; they come newest first, so that older pages are not read."""
        for model in self._pages(lambda following: self.models.list_versions(name, following)):
            if model.created < self.since:
                return
            yield model

    def _read_runs(self) -> Iterator[EventDocument]:
        experiments = list(self._pages(self.runs.list_experiments))
        self.progress.start("experiments", len(experiments))
        for experiment in experiments:
            found = list(self._read_experiment(experiment))
            self.progress.advance(len(found))
            yield from found

    def _read_experiment(self, experiment: Experiment) -> Iterator[EventDocument]:
        created = self.since - LONGEST_RUN
        for run in self._pages(lambda following: self.runs.list_runs(experiment, created, following)):
            if run.changed >= self.since:
                yield from rebuild_run_events(self.topic, run, experiment)

    def _pages[T](self, ask: Callable[[str | None], Page[T]]) -> Iterator[T]:
        following: str | None = None
        while True:
            page = self.patience.read(lambda asked=following: ask(asked))  # type: ignore[misc]
            yield from page.values
            following = page.following
            if following is None:
                return
