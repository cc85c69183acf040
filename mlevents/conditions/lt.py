"""Less than a number; the text of a tag is converted.

where:
  model:
    tags:
      error_rate: {lt: 0.01}
"""

from mlevents.conditions.comparison import Comparison
from mlevents.conditions.condition import operator


@operator("lt")
class LessThan(Comparison):
    """The number, or the decimal number that a text writes, is less than the operand."""

    synonyms = ("<", "less_than", "lessthan", "below", "under")

    name = "LessThan"

    def compares(self, found: float) -> bool:
        return found < self.bound
