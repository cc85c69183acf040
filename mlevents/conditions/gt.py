"""Greater than a number; the text of a tag is converted.

where:
  model:
    tags:
      accuracy: {gt: 0.92}
"""

from mlevents.conditions.comparison import Comparison
from mlevents.conditions.condition import operator


@operator("gt")
class GreaterThan(Comparison):
    """The number, or the decimal number that a text writes, is greater than the operand."""

    synonyms = (">", "greater_than", "greaterthan", "more_than", "above", "over")

    name = "GreaterThan"

    def compares(self, found: float) -> bool:
        return found > self.bound
