"""Is the new deployment healthy, and what follows? Pure: metrics and parameters in, a verdict with words out.

Metrics that are late, missing, or of too few requests are never healthy: they are `unclear`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mlevents.actions.rollout_parameters import Check, Rollout, limit
from mlevents.actions.traffic import fold
from mlevents.services.metrics import Minute, Minutes

Verdict = Literal["healthy", "breached", "unclear"]
Move = Literal["promote", "hold", "fail", "stop"]

LATE = 300.0
"""Seconds: Azure Monitor shows a minute after one to three; older news is no news."""
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What the metrics say at one moment, in one word and for people."""

    verdict: Verdict
    words: str


@dataclass(frozen=True, slots=True)
class Course:
    """How far a phase is: seconds so far, how long it should and may take, readings beyond a limit."""

    elapsed: float
    lasting: float
    longest: float
    breaches: int = 0
    forgiven: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """What some deployments answered together within a window; latencies in seconds."""

    requests: float
    errors: float
    latency: Mapping[str, float]

    def value(self, metric: str) -> float | None:
        """The metric's value; None where there is none."""
        if metric == "requests":
            return self.requests
        if metric == "error_rate":
            return self.errors / self.requests if self.requests else None
        return self.latency.get(percentile(metric))


def move(verdict: Verdict, course: Course) -> Move:
    """What follows from a reading; `course.breaches` counts this one already."""
    if verdict == "breached" and course.breaches > course.forgiven:
        return "fail"
    if verdict == "healthy" and course.elapsed >= course.lasting:
        return "promote"
    return "stop" if course.elapsed >= course.longest else "hold"


def read(rollout: Rollout, minutes: Minutes, deployment: str, stable: Sequence[str]) -> Reading:
    """The reading of a phase; `stable` are the deployments that serve beside the new one, if any do."""
    found = [
        judged(check, rollout.needed, minutes, (deployment, stable))
        for check in rollout.checks
        if check.of is None or stable
    ]
    said = list(_too_little(rollout.needed, minutes, deployment))
    readings = [*(Reading("unclear", words) for words in said), *found]
    worst: Verdict = next(
        (kind for kind in ("breached", "unclear") if any(one.verdict == kind for one in readings)), "healthy"
    )
    return Reading(worst, ", ".join(one.words for one in readings) or "nothing to check")


def judged(check: Check, needed: int, minutes: Minutes, sides: tuple[str, Sequence[str]]) -> Reading:
    """One check: the new deployment's value against its limits.

    With fewer requests than it takes to judge, only errors can be beyond a limit: where there would be
    too many even if every further request went well.
    """
    deployment, stable = sides
    window = window_of(minutes.get(fold(deployment), ()), check.window, needed)
    new = totals([minutes.get(fold(deployment), ())], window)
    base = totals([minutes.get(fold(name), ()) for name in stable], window).value(check.metric)
    value = new.value(check.metric)
    if value is None or (check.of == "stable" and base is None):
        whose = "" if value is None else " of the stable deployment"
        return Reading("unclear", f"{named(check.metric)}{whose} is not known")
    least, most = bound(check, "min", base), bound(check, "max", base)
    surely = new.errors / max(new.requests, needed, 1) if check.metric == "error_rate" else value
    enough = new.requests >= needed or check.metric == "error_rate"
    words = f"{named(check.metric)} {shown(check.metric, value)}"
    if most is not None and value > most:
        return Reading(
            "breached" if enough and surely > most else "unclear",
            f"{words}, beyond {shown(check.metric, most)}",
        )
    if least is not None and value < least:
        enough = enough and check.metric != "requests"
        return Reading("breached" if enough else "unclear", f"{words}, below {shown(check.metric, least)}")
    end = most if most is not None else least
    return Reading("healthy", f"{words} of {shown(check.metric, end or 0.0)}")


def bound(check: Check, name: str, base: float | None) -> float | None:
    """A check's limit; one that is a factor becomes a limit by the stable deployment's value."""
    value = limit(check, name)
    if value is None or check.of is None:
        return value
    slack = (limit(check, "plus") or 0.0) * (1 if name == "max" else -1)
    return value * (base or 0.0) + slack


def window_of(minutes: Sequence[Minute], window: float, needed: int) -> float:
    """How far back to look, in seconds: the window, or further until there are requests enough."""
    requests, reach = 0.0, window
    for minute in minutes:
        if minute.age > window:
            if requests >= needed:
                break
            reach = minute.age
        requests += minute.requests
    return reach


def totals(deployments: Sequence[Sequence[Minute]], window: float) -> Totals:
    """All minutes within the window together; latencies are means, weighted by requests."""
    minutes = [minute for those in deployments for minute in those if minute.age <= window]
    names = {name for minute in minutes for name in minute.latency}
    latency = {}
    for name in names:
        known = [
            (minute.latency[name], minute.requests or 1.0) for minute in minutes if name in minute.latency
        ]
        latency[name] = sum(value * weight for value, weight in known) / sum(weight for _, weight in known)
    return Totals(sum(one.requests for one in minutes), sum(one.errors for one in minutes), latency)


def _too_little(needed: int, minutes: Minutes, deployment: str) -> Iterator[str]:
    """Why nothing can be said yet, if so."""
    if not needed:
        return
    own = minutes.get(fold(deployment), ())
    requests = sum(minute.requests for minute in own)
    if requests < needed:
        yield f"{requests:g} of {needed} requests"
    newest = min((minute.age for those in minutes.values() for minute in those), default=None)
    if newest is None:
        yield "no metrics yet"
    elif newest > LATE:
        yield f"the metrics are late, the newest of {newest / MINUTE:.0f} min ago"


def percentile(metric: str) -> str:
    """`P95` of `latency_p95`."""
    return metric.rpartition("_")[2].upper()


def percentiles(rollout: Rollout) -> set[str]:
    """The percentiles that the checks need."""
    return {percentile(check.metric) for check in rollout.checks if check.metric.startswith("latency")}


def named(metric: str) -> str:
    """The metric as people call it."""
    return metric.replace("latency_", "latency ").replace("_", " ")


def shown(metric: str, value: float) -> str:
    """A value with its unit."""
    if metric == "error_rate":
        return f"{value * 100:.3g} %"
    return f"{value * 1000:.4g} ms" if metric.startswith("latency") else f"{value:g}"
