"""Putting the traffic back: by the rollout that moved it, or by another one from the record that it kept."""

from collections.abc import Generator, Mapping
from typing import Any

from durabletask.task import OrchestrationContext

from mlevents.actions.deploy_model.phases import Run
from mlevents.actions.deploy_model.restoration import restore
from mlevents.actions.deploy_model.traffic_restore import INHERITED
from mlevents.orchestration.step_runner import StepFailedError, own_fault

NEEDED = ("response", "step", "results", "verb")
"""Of a rollout's call, what its verbs need to put the traffic back."""
HEAVY = ("files", "connections", "gates")
"""Of a response, what they do not need."""


class UnrestoredError(StepFailedError):
    """An error of ours kept the traffic from being put back: it must be tried by another orchestration."""


def record_of(run: Run) -> Mapping[str, Any] | None:
    """What another orchestration needs to put the traffic back; None while none was noted yet."""
    if "before" not in run.progress:
        return None
    call = {name: run.call[name] for name in NEEDED if name in run.call}
    call["response"] = {**call["response"], **{name: {} for name in HEAVY}}
    return {"call": {**call, "notices": run.notices}, "progress": run.progress}


def completion_of(run: Run, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is kept of a rollout that has completed, in case its own answer is lost: nothing is to go back."""
    return {**(record_of(run) or {}), "phases": run.phases, "answer": answer}


def has_completed(record: Mapping[str, Any]) -> bool:
    """Whether this record was left by a rollout that had all the traffic, and nothing against it."""
    return "answer" in record


def go_back(context: OrchestrationContext, run: Run) -> Generator[Any, Any, tuple[str, str]]:
    """Restore the traffic, then clean up; gives the words for both. Raises UnrestoredError."""
    try:
        restored = yield from restore(context, run)
    except Exception as error:
        raise UnrestoredError(
            f"the traffic could not be put back to {run.progress['before']}: {own_fault(error)}"
        ) from error
    left = yield from run.tried("clean-up", "discard")
    return restored, left


def put_back(
    context: OrchestrationContext, record: Mapping[str, Any]
) -> Generator[Any, Any, tuple[str, str]]:
    """Restore the traffic that a rollout left when it ended, from its record."""
    run = Run(context, dict(record["call"]))
    run.progress = {**record["progress"], INHERITED: True}
    return (yield from go_back(context, run))
