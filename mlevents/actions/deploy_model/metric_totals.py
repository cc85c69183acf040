"""Totals of metrics over several minutes, and their values as text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from mlevents.services.metrics import Minute


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of some deployments within a window; latencies in seconds."""

    requests: float
    errors: float
    latency: Mapping[str, float]

    def value(self, metric: str) -> float | None:
        """The metric's value; None if there is none."""
        if metric == "requests":
            return self.requests
        if metric == "error_rate":
            return self.errors / self.requests if self.requests else None
        return self.latency.get(percentile(metric))


def is_readable(minute: Minute) -> bool:
    """Whether every value of the minute is a finite number from 0 up."""
    values = (minute.requests, minute.errors, *minute.latency.values())
    numbers = all(isinstance(one, int | float) and isfinite(one) and one >= 0 for one in values)
    return numbers and not minute.unreadable


def minutes_within(minutes: Iterable[Minute], window: float | None) -> list[Minute]:
    """The minutes within the last `window` seconds; all minutes without a window."""
    return [minute for minute in minutes if minute.age <= (inf if window is None else window)]


def extend_window(minutes: Sequence[Minute], window: float | None, needed: int) -> float | None:
    """The seconds to look back: the window, or more until there are enough requests."""
    if window is None:
        return None
    requests, reach = 0.0, window
    for minute in minutes:
        if minute.age > window:
            if requests >= needed:
                break
            reach = minute.age
        requests += minute.requests
    return reach


def sum_minutes(deployments: Iterable[Sequence[Minute]], window: float | None) -> Totals:
    """The totals of all minutes within the window; latencies are means, weighted by requests."""
    minutes = [minute for those in deployments for minute in minutes_within(those, window)]
    names = {name for minute in minutes for name in minute.latency}
    latency = {}
    for name in names:
        known = [
            (minute.latency[name], minute.requests or 1.0) for minute in minutes if name in minute.latency
        ]
        latency[name] = sum(value * weight for value, weight in known) / sum(weight for _, weight in known)
    return Totals(sum(one.requests for one in minutes), sum(one.errors for one in minutes), latency)


def percentile(metric: str) -> str:
    """`P95` of `latency_p95`."""
    return metric.rpartition("_")[2].upper()


def spell_metric(metric: str) -> str:
    """The metric's name for people."""
    return metric.replace("_", " ")


def spell_value(metric: str, value: float) -> str:
    """A value with its unit."""
    if metric == "error_rate":
        return f"{value * 100:.3g} %"
    return f"{value * 1000:.4g} ms" if metric.startswith("latency") else f"{value:g}"
