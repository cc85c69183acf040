"""Carrying a deployment through as its orchestrator does, with repetitions wherever one wants them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mlevents.actions.action import Done, Outcome, StepContext
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.errors import PermanentError, TransientError
from mlevents.events import Event
from tests.unit.actions.deploy_model.fake_workspace import TOPIC, FakeWorkspace

COURSE = ("locate", "ensure_endpoint", "create_deployment", "follow_deployment", "shift_traffic")
MOST_LOOKS = 60


def context(name: str = "fraud-net", version: str = "8", **names: Any) -> StepContext:
    known = {"model": {"name": name, "version": version}, **names}
    event = Event(
        "e1", "model.registered", ("model.registered",), None, f"models/{name}:{version}", TOPIC, known
    )
    return StepContext("rule-1.abc", "rule-1", "deploy", "mlevents-k", event, known)


def once() -> int:
    return 1


def carry(
    action: DeployModel, verb: str, at: StepContext, world: FakeWorkspace, times: Callable[[], int] = once
) -> Done:
    """Perform a verb until it is done, each attempt so many times over."""
    for _ in range(MOST_LOOKS):
        outcome: Outcome | None = None
        for _ in range(times()):
            try:
                outcome = getattr(action, verb)(at, world)
            except TransientError:
                continue
        if isinstance(outcome, Done):
            return outcome
        if outcome is not None:
            at = replace(at, progress=outcome.progress)
    raise AssertionError(f"{verb} does not come to an end")


def deploy(
    world: FakeWorkspace,
    action: DeployModel | None = None,
    at: StepContext | None = None,
    times: Callable[[], int] = once,
) -> Mapping[str, Any]:
    """The result of the whole rollout; a verb that fails has the traffic restored, as on Azure."""
    action, at = action or DeployModel(template="small.yaml"), at or context()
    progress: dict[str, Any] = {}
    for verb in COURSE:
        try:
            done = carry(action, verb, replace(at, progress=progress), world, times)
        except PermanentError:
            carry(action, "restore_traffic", replace(at, progress=progress), world, times)
            raise
        progress |= done.result
    return progress
