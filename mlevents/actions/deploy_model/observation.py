"""Observes a phase of a rollout: reads the metrics, and sends probes when there are too few requests."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from math import ceil
from typing import Any

from mlevents.actions.action import Done, Outcome
from mlevents.actions.deploy_model.analysis import Observation, Reading, judge_phase, percentiles
from mlevents.actions.deploy_model.metric_silence import SECONDS_A_MINUTE, Exposure
from mlevents.actions.deploy_model.parameters import Probe, Rollout
from mlevents.actions.deploy_model.progress import Phase, Progress
from mlevents.actions.deploy_model.smoke_test import build_scoring_request, find_unexpected
from mlevents.actions.deploy_model.target import UNDER_WAY, RolloutTarget
from mlevents.actions.deploy_model.traffic_map import other_holders, share_of
from mlevents.actions.deploy_model.traffic_shift import (
    current_phase,
    foreign_traffic_error,
    is_at,
    wait_for_endpoint,
)
from mlevents.errors import TransientError
from mlevents.services.machine_learning.states import EndpointState
from mlevents.services.metrics import is_fault
from mlevents.services.scoring import ScoringTarget
from mlevents.services.services import Services

SHORTEST_SPAN = SECONDS_A_MINUTE
LONGEST_BURST, MOST_PROBES = 60.0, 600
"""Seconds and requests that probing takes at one look."""


@dataclass(frozen=True, slots=True)
class Prober:
    """Sends the smoke test's request; `mark` is the response's id, `fill` puts the event's values in."""

    services: Services
    mark: str
    fill: Callable[[Any], Any]
    clock: Callable[[], float] = time.monotonic


def observe(target: RolloutTarget, progress: Progress, rollout: Rollout, prober: Prober) -> Outcome:
    """What the metrics say of this phase so far; stop when someone else has moved the traffic."""
    state = target.read_endpoint()
    if state.provisioning_state in UNDER_WAY:
        return wait_for_endpoint(state, progress)
    phase = current_phase(target, progress)
    if not is_at(state, phase):
        raise foreign_traffic_error(state, target)
    deployment = target.read_deployment()
    if deployment and deployment.provisioning_state in UNDER_WAY:
        said = f"deployment '{deployment.name}' is {deployment.provisioning_state}"
        return _said(Reading("unclear", said), rollout)
    target.check_deployment(deployment)
    reading = _reading(target, progress, rollout)
    if reading.verdict == "unclear" and rollout.no_traffic == "probe":
        wrong = _probe(target, state, rollout, prober, progress.since)
        if wrong:
            reading = Reading("breached", f"{reading.words}, {wrong}")
    return _said(reading, rollout)


def exposure(phase: Phase, deployment: str, span: float) -> Exposure:
    """What a phase gives the new deployment, beside what the others get."""
    share, copied = share_of(phase.traffic, deployment), share_of(phase.mirror, deployment)
    return Exposure(share / (100 - share) if 0 < share < 100 else copied / 100, span)


def _said(reading: Reading, rollout: Rollout) -> Done:
    excused = reading.scarce and rollout.no_traffic == "proceed"
    return Done(reading.words, Observation(reading.verdict, excused, reading.checks).to_json())


def _reading(target: RolloutTarget, progress: Progress, rollout: Rollout) -> Reading:
    """Metrics that cannot be read now are unclear, not a failure: the next look may read them."""
    if not rollout.needed and not rollout.checks:
        return Reading("healthy", "nothing to check")
    phase = current_phase(target, progress)
    stable = [*other_holders(phase.traffic, target.deployment)]
    span = max(progress.elapsed, SHORTEST_SPAN)
    endpoint = target.machine_learning.workspace.endpoint(target.endpoint)
    try:
        minutes = target.machine_learning.metrics.minutes(endpoint, span, percentiles(rollout))
    except TransientError as error:
        return Reading("unclear", f"no metrics now: {error}")
    return judge_phase(rollout, minutes, target.deployment, stable, exposure(phase, target.deployment, span))


def _probe(
    target: RolloutTarget, state: EndpointState, rollout: Rollout, prober: Prober, since: float | None
) -> str | None:
    """Send as many requests as the time since the last look asks for; says what was wrong with an answer.

    They count in the deployment's metrics as any others do, which judge errors and latencies. An answer
    that these cannot judge, such as a wrong prediction or a 401, is wrong in itself.
    """
    if (test := rollout.smoke_test) is None:
        return None
    rps = (rollout.probe or Probe()).rps
    wanted = min(max(1, ceil(rps * (SHORTEST_SPAN if since is None else since))), MOST_PROBES)
    place = ScoringTarget(state.scoring_uri, target.endpoints.token(state), target.deployment, prober.mark)
    request = build_scoring_request(test, prober.services, prober.fill)
    patient = test.model_copy(update={"latency": None})
    end = prober.clock() + LONGEST_BURST
    for _ in takewhile(lambda _: prober.clock() < end, range(wanted)):
        try:
            answer = prober.services.score(place, request)
        except TransientError:
            return None
        wrong = [] if is_fault(str(answer.status)) else list(find_unexpected(patient, answer))
        if wrong:
            return f"a probe: {'; '.join(wrong)}"
    return None
