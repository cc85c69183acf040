"""The geometry of the console's drawings: who had how much traffic when, and a metric against its limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

CHART_WIDTH, CHART_HEIGHT = 600.0, 96.0
"""Of the traffic's drawing, in its own units: it scales with the page."""
NARROWEST = 28.0
"""A phase of a second can still be seen and pointed at."""
SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 120.0, 24.0, 2.0


@dataclass(frozen=True, slots=True)
class TrafficPhase:
    """What serves during one phase: its name, its seconds, and the percent of each deployment."""

    name: str
    seconds: float
    traffic: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TrafficBox:
    """One deployment's part of one phase; `color` is the deployment's number."""

    deployment: str
    phase: str
    percent: int
    color: int
    x: float
    y: float
    width: float
    height: float


def draw_traffic(phases: Sequence[TrafficPhase]) -> list[TrafficBox]:
    """The boxes of all phases from left to right; a deployment has one color in all of them."""
    names = list_serving(phases)
    edges = _place_edges([max(phase.seconds, 0.0) for phase in phases])
    boxes = []
    for phase, (left, right) in zip(phases, pairwise(edges), strict=True):
        top = 0.0
        for color, name in enumerate(names):
            percent = phase.traffic.get(name, 0)
            height = CHART_HEIGHT * percent / 100
            if percent:
                boxes.append(
                    TrafficBox(name, phase.name, percent, color % 5, left, top, right - left, height)
                )
            top += height
    return boxes


def list_serving(phases: Sequence[TrafficPhase]) -> list[str]:
    """The deployments that had traffic, in the order in which they first had it."""
    return list(dict.fromkeys(name for phase in phases for name, share in phase.traffic.items() if share))


def _place_edges(seconds: Sequence[float]) -> list[float]:
    """Where each phase begins and the last one ends: in proportion to time, but none too narrow."""
    edges, total = [0.0], sum(seconds)
    free = max(CHART_WIDTH - NARROWEST * len(seconds), 0.0)
    for part in seconds:
        share = part / total if total else 1 / len(seconds)
        edges.append(edges[-1] + min(NARROWEST, CHART_WIDTH / len(seconds)) + free * share)
    return edges


@dataclass(frozen=True, slots=True)
class Spark:
    """A metric's values as the points of a line, and the height of its limit."""

    points: str
    limit: float | None


def draw_spark(values: Sequence[float], limit: float | None) -> Spark:
    """The line of the values from left to right, on a scale that holds the limit too."""
    known = [*values, *([limit] if limit is not None else [])]
    low, high = min(known, default=0.0), max(known, default=1.0)
    span = (high - low) or 1.0

    def level(value: float) -> float:
        inner = SPARK_HEIGHT - 2 * SPARK_MARGIN
        return round(SPARK_MARGIN + inner * (1 - (value - low) / span), 2)

    step = SPARK_WIDTH / max(len(values) - 1, 1)
    points = " ".join(f"{round(at * step, 2)},{level(value)}" for at, value in enumerate(values))
    return Spark(points, None if limit is None else level(limit))
