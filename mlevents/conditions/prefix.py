"""The text begins with the operand, or with one of a list.

where:
  model:
    name: {prefix: fraud-}
"""

from mlevents.canonical import fold
from mlevents.conditions.assumptions import Assumptions, TextShape
from mlevents.conditions.condition import TEXT_OR_LIST, Clause, Condition, JsonSchema, operator, read_texts


@operator("prefix")
class Prefix(Condition):
    """The text begins with the operand, or with one of a list."""

    synonyms = ("startswith", "starts_with", "begins_with", "beginswith", "starts", "stringbeginswith")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return TEXT_OR_LIST

    def __init__(self, operand: object) -> None:
        self.heads = read_texts(operand)

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and fold(value).startswith(self.heads)

    def clause(self) -> Clause:
        return Clause("BeginsWith", self.heads)

    def assumptions(self) -> Assumptions:
        return Assumptions(shapes=tuple(TextShape(head=head) for head in self.heads))
