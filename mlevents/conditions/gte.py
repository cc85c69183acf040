"""At least a number; the text of a tag is converted.

where:
  drift:
    coefficient: {gte: 0.3}
"""

from mlevents.conditions.comparison import Comparison
from mlevents.conditions.condition import operator


@operator("gte")
class GreaterThanOrEquals(Comparison):
    """The number, or the decimal number that a text writes, is at least the operand."""

    synonyms = (
        ">=",
        "ge",
        "min",
        "minimum",
        "at_least",
        "greater_or_equal",
        "greater_than_or_equal",
        "greaterthanorequals",
    )

    name = "GreaterThanOrEquals"

    def compares(self, found: float) -> bool:
        return found >= self.bound
