"""One measured figure, from several runs, because machines are noisy."""

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in `unit`, over `runs`; `bound` is what we claim it stays under."""

    what: str
    unit: str
    runs: tuple[float, ...]
    bound: float | None = None

    @property
    def median(self) -> float:
        """The figure to quote."""
        return round(median(self.runs), 2)

    @property
    def least(self) -> float:
        """The best run."""
        return round(min(self.runs), 2)

    @property
    def most(self) -> float:
        """The worst run."""
        return round(max(self.runs), 2)

    def to_json(self) -> dict[str, Any]:
        """The figure for programs."""
        return {
            "what": self.what,
            "unit": self.unit,
            "median": self.median,
            "min": self.least,
            "max": self.most,
            "runs": len(self.runs),
            "bound": self.bound,
        }
