"""At most a number; the text of a tag is converted.

where:
  model:
    tags:
      size_mb: {lte: 500}
"""

from mlevents.conditions.comparison import Comparison
from mlevents.conditions.condition import operator


@operator("lte")
class LessThanOrEquals(Comparison):
    """The number, or the decimal number that a text writes, is at most the operand."""

    synonyms = (
        "<=",
        "le",
        "max",
        "maximum",
        "at_most",
        "less_or_equal",
        "less_than_or_equal",
        "lessthanorequals",
    )

    name = "LessThanOrEquals"

    def compares(self, found: float) -> bool:
        return found <= self.bound
