"""The text has a word, which `contains` would also find inside other words.

where:
  model:
    tags:
      notes: {has-word: urgent}
"""

from mlevents.conditions.condition import Condition, operator, quote_value


@operator("has-word")
class HasWord(Condition):
    """The text has the operand as a word."""

    def __init__(self, operand: object) -> None:
        if not isinstance(operand, str) or len(operand.split()) != 1:
            raise ValueError(f"wants one word, not {quote_value(operand)}")
        self.word = operand.casefold()

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and self.word in value.casefold().split()
