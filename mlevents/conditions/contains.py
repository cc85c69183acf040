"""The text contains the operand, or one of a list.

where:
  model:
    name: {contains: fraud}
"""

from mlevents.canonical import fold
from mlevents.conditions.assumptions import Assumptions, TextShape
from mlevents.conditions.condition import TEXT_OR_LIST, Clause, Condition, JsonSchema, operator, read_texts


@operator("contains")
class Contains(Condition):
    """The text contains the operand, or one of a list."""

    synonyms = ("has", "substring", "includes_text", "stringcontains", "like_text")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return TEXT_OR_LIST

    def __init__(self, operand: object) -> None:
        self.parts = read_texts(operand)

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and any(part in fold(value) for part in self.parts)

    def clause(self) -> Clause:
        return Clause("Contains", self.parts)

    def assumptions(self) -> Assumptions:
        return Assumptions(shapes=tuple(TextShape(middle=part) for part in self.parts))
