"""What one number of callers measured: when each event was answered and finished, and the CPU time."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event: when its delivery began and was answered, in seconds since the epoch."""

    id: str
    began: float
    answered: float


@dataclass(frozen=True, slots=True)
class Round:
    """What one number of callers measured; CPU seconds are of callers, sandbox and app."""

    deliveries: Sequence[Delivery]
    finished: Sequence[float]
    cpu: tuple[float, ...]

    @property
    def scheduled_rate(self) -> float:
        """Deliveries answered in a second."""
        began = min(one.began for one in self.deliveries)
        return len(self.deliveries) / (max(one.answered for one in self.deliveries) - began)

    @property
    def finished_rate(self) -> float:
        """Responses finished in a second, from the first delivery to the last end."""
        return len(self.finished) / (max(self.finished) - min(one.began for one in self.deliveries))

    @property
    def answer_times(self) -> list[float]:
        """Milliseconds from each delivery to its answer."""
        return [(one.answered - one.began) * 1000 for one in self.deliveries]

    @property
    def finish_times(self) -> list[float]:
        """Milliseconds from each delivery to the end of its response."""
        return [(end - one.began) * 1000 for one, end in zip(self.deliveries, self.finished, strict=True)]

    @property
    def cpu_each(self) -> tuple[float, ...]:
        """CPU milliseconds an event of callers, sandbox and app."""
        return tuple(one * 1000 / len(self.deliveries) for one in self.cpu)
