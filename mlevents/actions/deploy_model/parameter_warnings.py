"""Warnings, when the rules load, for rollouts that can hardly succeed."""

from collections.abc import Iterator

from mlevents.actions.deploy_model.parameters import Mirror, Probe, Rollout, TrafficStep
from mlevents.duration import format_duration
from mlevents.gates.approve.terms import find_people_terms

DELAY = 180.0
"""Seconds until Azure Monitor shows a request, at most."""
Caution = tuple[str, str]
"""The parameter, and the warning."""


def find_cautions(rollout: Rollout | None) -> Iterator[Caution]:
    """What delays a phase, prevents its verdict, or needs Entra sign-in."""
    if rollout is None:
        return
    for index, step in enumerate(rollout.steps):
        for name, text in find_people_terms(step.approve and step.approve.model_dump()):
            yield f"steps[{index}].approve.{name}", text
    if not rollout.checks and not rollout.min_requests:
        return
    for name, phase in _phases(rollout):
        yield from _too_short(name, phase)
        yield from _window_too_long(rollout, name, phase)
        yield from _too_few_probes(rollout, name, phase)
    yield from _without_requests(rollout)


def _phases(rollout: Rollout) -> Iterator[tuple[str, Mirror | TrafficStep]]:
    if rollout.mirror:
        yield "mirror", rollout.mirror
    yield from ((f"steps[{index}]", step) for index, step in enumerate(rollout.steps) if step.for_)


def _too_short(name: str, phase: Mirror | TrafficStep) -> Iterator[Caution]:
    longest = phase.timeout or 2 * phase.for_
    if phase.for_ < DELAY:
        never = ": there will be no verdict" if max(longest, phase.for_) < DELAY else ""
        yield (
            f"{name}.for",
            f"{format_duration(phase.for_)} is shorter than the {format_duration(DELAY)} that Azure Monitor "
            f"may need to show a request{never}; write at least 3m",
        )


def _window_too_long(rollout: Rollout, name: str, phase: Mirror | TrafficStep) -> Iterator[Caution]:
    for index, check in enumerate(rollout.checks):
        if check.window and check.window > phase.for_:
            yield (
                f"checks[{index}].window",
                f"{format_duration(check.window)} is longer than the {format_duration(phase.for_)} of "
                f"{name}, and only the phase is read: write a shorter window, or remove it",
            )


def _too_few_probes(rollout: Rollout, name: str, phase: Mirror | TrafficStep) -> Iterator[Caution]:
    if rollout.no_traffic != "probe":
        return
    rps = (rollout.probe or Probe()).rps
    sent = rps * max(phase.for_ - DELAY, 0.0)
    if sent < rollout.needed:
        yield (
            f"{name}.for",
            f"{rps:g} probes a second for {format_duration(phase.for_)} give fewer than {rollout.needed} "
            "requests in time: write a longer `for`, more `probe.rps`, or less `min_requests`",
        )


def _without_requests(rollout: Rollout) -> Iterator[Caution]:
    metrics = [check.metric for check in rollout.checks if check.metric != "requests"]
    if metrics and not rollout.needed and rollout.no_traffic == "hold":
        yield (
            "min_requests",
            f"with 0, a phase needs no request, but {metrics[0]} is unknown without requests, so the phase "
            "never continues: write `no_traffic: proceed` or `no_traffic: probe`, or at least 1",
        )
