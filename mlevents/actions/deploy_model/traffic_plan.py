"""The plan of a rollout: all traffic maps that it may write, fixed before the first write."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlevents.actions.deploy_model.parameters import WHOLE, Rollout, SmokeTest, TrafficStep
from mlevents.actions.deploy_model.progress import Phase
from mlevents.actions.deploy_model.traffic_map import (
    Traffic,
    is_same_traffic,
    other_holders,
    share_of,
    shift_share,
)
from mlevents.actions.deploy_model.verbs import RolloutVerb
from mlevents.gates.approve.terms import ApprovalTerms

WARMING_UP = 600.0
"""Seconds for a model to answer its first request."""


def plan_phases(rollout: Rollout | None, deployment: str, traffic: Traffic, mirror: Traffic) -> list[Phase]:
    """The phases that lead from this traffic and mirror to all traffic on the deployment.

    Without `rollout`, and where nothing but the deployment itself serves, all traffic moves at once.
    """
    asked = rollout or Rollout()
    phases = [_smoke_test(asked.smoke_test)] if asked.smoke_test else []
    if other_holders(traffic, deployment):
        phases += _mirror(asked, deployment, traffic)
        phases += _steps(asked, deployment, traffic, mirror)
    else:
        phases += [_approval(step.approve) for step in asked.steps if step.approve]
        phases.append(
            _shift(TrafficStep(percent=WHOLE), {deployment: WHOLE}, other_holders(mirror, deployment))
        )
    return list(_place_approvals(phases, traffic, mirror))


def _place_approvals(phases: Sequence[Phase], traffic: Traffic, mirror: Traffic) -> Iterator[Phase]:
    """The phases, each approval with the maps that stand while it waits."""
    percent = 0
    for phase in phases:
        if phase.verb is RolloutVerb.SHIFT_TRAFFIC:
            traffic, mirror, percent = phase.traffic, phase.mirror, phase.percent
        if phase.approve:
            name = f"approval at {percent} %"
            yield replace(phase, name=name, traffic=dict(traffic), mirror=dict(mirror), percent=percent)
        else:
            yield phase


def _approval(terms: ApprovalTerms) -> Phase:
    written = terms.model_dump(mode="json", exclude_none=True)
    verb, within = RolloutVerb.ASK_APPROVAL, terms.within
    return Phase("approval", verb, for_=within, timeout=within, own_timeout=True, approve=written)


def is_planned_traffic(phases: Sequence[Phase], traffic: Traffic, mirror: Traffic) -> bool:
    """Whether these maps are ones that the plan puts: and no one else's."""
    maps = [phase for phase in phases if phase.verb is RolloutVerb.SHIFT_TRAFFIC]
    return any(
        is_same_traffic(traffic, phase.traffic) and is_same_traffic(mirror, phase.mirror) for phase in maps
    )


def _smoke_test(asked: SmokeTest) -> Phase:
    return Phase("smoke test", RolloutVerb.SMOKE_TEST, timeout=asked.timeout or WARMING_UP)


def _mirror(asked: Rollout, deployment: str, traffic: Traffic) -> Iterator[Phase]:
    """A mirror to somewhere else rests meanwhile: Azure ML allows one."""
    if asked.mirror is None or share_of(traffic, deployment):
        return
    step = TrafficStep.model_construct(percent=0, for_=asked.mirror.for_, timeout=asked.mirror.timeout)
    phase = _shift(step, traffic, {deployment: asked.mirror.percent})
    yield replace(phase, name=f"mirror {asked.mirror.percent} %")


def _steps(asked: Rollout, deployment: str, traffic: Traffic, mirror: Traffic) -> Iterator[Phase]:
    last = [] if asked.steps[-1].percent == WHOLE else [TrafficStep(percent=WHOLE)]
    for step in [*asked.steps, *last]:
        if step.approve:
            yield _approval(step.approve)
        elif (step.percent or 0) > share_of(traffic, deployment):
            wanted = shift_share(traffic, deployment, step.percent or 0)
            yield _shift(step, wanted, other_holders(mirror, deployment))


def _shift(step: TrafficStep, traffic: Traffic, mirror: Traffic) -> Phase:
    timeout = step.timeout if step.timeout is not None else 2 * step.for_
    return Phase(
        name=f"{step.percent} %",
        verb=RolloutVerb.SHIFT_TRAFFIC,
        for_=step.for_,
        timeout=max(timeout, step.for_),
        percent=step.percent or 0,
        traffic=dict(traffic),
        mirror=dict(mirror),
        own_timeout=step.timeout is not None,
    )
