"""An event with what Azure ML says now of the model or the run that it is about."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from mlevents.errors import EventError, PermanentError
from mlevents.event_history.lookup import FindsModels, FindsRuns
from mlevents.event_history.rebuilt_event import EventDocument, rebuild_model_event, rebuild_run_events
from mlevents.events import Event, parse


class GoneError(Exception):
    """There is nothing to act on any more; the message says why."""


class FindsModelsAndArchives(FindsModels, Protocol):
    """Finds a version of a model, and whether the model is archived; see `RegisteredModels`."""

    def is_archived(self, name: str) -> bool:
        """Whether the model is archived with all its versions."""
        ...


def refresh_model(event: Event, models: FindsModelsAndArchives) -> Event:
    """The event with the tags and properties that its model has now; raises GoneError or PermanentError.

    A model that is archived is gone, unless the event says that it is archived.
    """
    known = event.names["model"]
    name, version = _require(known, "name", "model"), _require(known, "version", "model")
    found = models.find_version(name, version)
    if found is None:
        raise GoneError(f"the model '{name}:{version}' is not registered any more")
    archived = found.archived or models.is_archived(name)
    if archived and not known.get("archived"):
        raise GoneError(f"the model '{name}:{version}' is archived")
    [fresh] = _parse_events([rebuild_model_event(event.topic, found)])
    now = {"stage": found.stage, "archived": archived} if "archived" in known else {}
    return replace(event, names={**event.names, "model": {**known, **fresh.names["model"], **now}})


def refresh_run(event: Event, runs: FindsRuns) -> Event:
    """The event with the status, tags and properties that its run has now, and with the drift in them.

    Its kinds are those that the run still has: one without a breach is no drift. Raises GoneError or
    PermanentError.
    """
    known = event.names["run"]
    run_id = _require(known, "id", "run")
    found = runs.find_run(run_id)
    if found is None:
        raise GoneError(f"the run '{run_id}' does not exist any more")
    fresh = _parse_events(rebuild_run_events(event.topic, found, runs.find_experiment(found.experiment_id)))
    same = next((one for one in fresh if one.type == event.type), fresh[0])
    drift = {"drift": same.names["drift"]} if "drift" in same.names else {}
    kinds = {kind for one in fresh for kind in one.kinds}
    return replace(
        event,
        type=same.type,
        kinds=tuple(kind for kind in event.kinds if kind in kinds),
        names={**event.names, "run": {**known, **same.names["run"]}, **drift},
    )


def _require(known: Mapping[str, Any], field: str, root: str) -> str:
    if value := known.get(field):
        return str(value)
    raise PermanentError(f"the event has no {root}.{field}, so its {root} cannot be read again")


def _parse_events(documents: Iterable[EventDocument]) -> list[Event]:
    try:
        return [parse(one) for one in documents]
    except EventError as error:
        raise PermanentError(f"what Azure ML answered is not a valid event: {error}") from error
