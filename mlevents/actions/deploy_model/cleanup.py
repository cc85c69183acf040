"""Cleans up after a rollout: the failed deployment with its log, and old deployments of mlevents.

It never deletes a deployment with traffic, or one that mlevents did not create.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.target import (
    LATER,
    MODEL_TAG,
    RESPONSE_TAG,
    SLOW,
    UNDER_WAY,
    RolloutTarget,
)
from mlevents.actions.deploy_model.traffic_map import (
    DeploymentNames,
    Traffic,
    same_name,
    share_of,
    traffic_holders,
)
from mlevents.canonical import fold
from mlevents.errors import ActionError, TransientError
from mlevents.services.machine_learning.states import DeploymentState

NOT_RETIRED, NONE_TO_RETIRE = "old deployments stay: the step has no rollout", "no old deployment to delete"
LOG_LINES = 100
LONGEST_LINE = 200
LONGEST_LOG = 10_000
"""Characters: the log travels in outcomes and messages."""


def discard(target: RolloutTarget, progress: Progress, delete: str) -> Outcome:
    """Take the end of the container's log, then delete the deployment if `delete`'s response made it.

    `delete` is the id of that response; empty, the deployment is kept.
    """
    state = target.read_deployment()
    if state is None:
        gone = "is deleted" if progress.deleting else "is not there"
        return Done(f"deployment '{target.deployment}' {gone}", _log(progress))
    if progress.log is None:
        return Pending("the log is taken", 0.0, replace(progress, log=tuple(_tail(target))).to_json())
    if delete and state.provisioning_state in UNDER_WAY:
        return _waiting(state, progress)
    if why := _kept(target, state, progress, delete):
        return Done(f"deployment '{state.name}' is kept{why}".rstrip(), _log(progress))
    target.endpoints.delete_deployment(target.endpoint, state.name)
    return _waiting(state, replace(progress, deleting=True))


def _kept(target: RolloutTarget, state: DeploymentState, progress: Progress, delete: str) -> str | None:
    """Why the deployment is not deleted, if so; empty where nobody asked for it."""
    if not delete:
        return " "
    if state.tags.get(RESPONSE_TAG) != delete:
        return ": it was there before"
    if _busy(target, state.name):
        return ": it has traffic"
    return f": deleting it left it {state.provisioning_state}" if progress.deleting else None


def retire(target: RolloutTarget, progress: Progress, rollout: Rollout | None) -> Outcome:
    """Delete the deployments of ours without traffic, but for the newest that the rollout keeps."""
    if rollout is None:
        return Done(NOT_RETIRED)
    tried = DeploymentNames(progress.tried)
    there = target.endpoints.deployments(target.endpoint)
    if any(state.provisioning_state == "Deleting" for state in there):
        return Pending("an old deployment is being deleted", SLOW, progress.to_json())
    for state in _superfluous(target, there, progress, rollout.keep):
        if state.name not in tried:
            target.endpoints.delete_deployment(target.endpoint, state.name)
            return Pending(
                f"deployment '{state.name}' is being deleted",
                SLOW,
                replace(progress, tried=(*tried, state.name)).to_json(),
            )
    left = DeploymentNames(state.name for state in there)
    deleted = ", ".join(name for name in tried if name not in left)
    failed = ", ".join(name for name in tried if name in left)
    said = [f"deleted {deleted}"] * bool(deleted) + [f"could not delete {failed}"] * bool(failed)
    return Done("; ".join(said) or NONE_TO_RETIRE, {"retired": [*tried]})


def look_for_old(
    outcome: Outcome, target: RolloutTarget, progress: Progress, rollout: Rollout | None
) -> Outcome:
    """Where the last move of a rollout that looks ahead is done, add whether something has to be deleted."""
    if not (progress.ahead and progress.is_last and isinstance(outcome, Done)):
        return outcome
    return replace(outcome, result={**outcome.result, "retired": _describe_none(target, progress, rollout)})


def _describe_none(target: RolloutTarget, progress: Progress, rollout: Rollout | None) -> str | None:
    """What people read where no old deployment has to be deleted; None where one may have to be."""
    if rollout is None:
        return NOT_RETIRED
    try:
        there = target.endpoints.deployments(target.endpoint)
        busy = any(state.provisioning_state in UNDER_WAY for state in there)
        return None if busy or _superfluous(target, there, progress, rollout.keep) else NONE_TO_RETIRE
    except ActionError:
        return None


def _superfluous(
    target: RolloutTarget, there: tuple[DeploymentState, ...], progress: Progress, keep: int
) -> list[DeploymentState]:
    """Those of ours without traffic beyond the ones to keep: what served last is kept first."""
    busy = _sharing(target)
    others = [
        state for state in there if state.name not in busy and not same_name(state.name, target.deployment)
    ]
    return sort_idle(others, progress.before or {}, keep)


def sort_idle(there: Iterable[DeploymentState], before: Traffic, keep: int = 0) -> list[DeploymentState]:
    """Those of ours but for the first so many, what served last first; none that is changing."""
    idle = [state for state in there if MODEL_TAG in state.tags]
    idle.sort(key=lambda state: (share_of(before, state.name), state.created, fold(state.name)), reverse=True)
    return [state for state in idle[keep:] if state.provisioning_state not in UNDER_WAY]


def _sharing(target: RolloutTarget) -> DeploymentNames:
    state = target.read_endpoint()
    return DeploymentNames([*traffic_holders(state.traffic), *traffic_holders(state.mirror)])


def _busy(target: RolloutTarget, name: str) -> bool:
    endpoint = target.find_endpoint()
    return endpoint is not None and name in DeploymentNames(
        [*traffic_holders(endpoint.traffic), *traffic_holders(endpoint.mirror)]
    )


def _tail(target: RolloutTarget) -> list[str]:
    """The last lines of the log; what keeps them from being read, if something permanent does."""
    try:
        lines = target.endpoints.log(target.endpoint, target.deployment, LOG_LINES)
    except TransientError:
        raise
    except ActionError as error:
        return [f"(the log cannot be read: {error})"[:LONGEST_LINE]]
    kept = [line[:LONGEST_LINE] for line in lines]
    while sum(map(len, kept)) > LONGEST_LOG:
        kept.pop(0)
    return kept


def _log(progress: Progress) -> dict[str, Any]:
    return {"log": list(progress.log or ())}


def _waiting(state: DeploymentState, progress: Progress) -> Pending:
    return Pending(f"deployment '{state.name}' is being deleted", LATER, progress.to_json())
