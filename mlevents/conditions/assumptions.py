"""What an operator tells about its condition, so that `check` can find contradictions.

An operator that tells nothing is never part of a contradiction.
"""

from dataclasses import dataclass
from typing import NamedTuple


class TextShape(NamedTuple):
    """What a text begins with, contains and ends with; in lower case."""

    head: str = ""
    middle: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Which values a condition accepts. Letters of either case are one, and None is a missing value.

    `accepted` are all the values that it accepts, `rejected` all that it rejects; None where nobody can list
    them. `bounds` are the numbers at which its answer changes; on a text it compares the number in the text.
    `shapes` are alternatives: a text that it accepts has one of them. `by_shape` is False where a text may
    have such a shape and be rejected all the same.
    """

    accepted: tuple[object, ...] | None = None
    rejected: tuple[object, ...] | None = None
    bounds: tuple[float, ...] = ()
    shapes: tuple[TextShape, ...] = ()
    by_shape: bool = True

    @property
    def is_listed(self) -> bool:
        """Whether all values that it accepts, or all that it rejects, are known."""
        return self.accepted is not None or self.rejected is not None
