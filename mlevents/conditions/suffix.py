"""The text ends with the operand, or with one of a list.

where:
  run:
    experiment: {suffix: [-nightly, -weekly]}
"""

from mlevents.canonical import fold
from mlevents.conditions.assumptions import Assumptions, TextShape
from mlevents.conditions.condition import TEXT_OR_LIST, Clause, Condition, JsonSchema, operator, read_texts


@operator("suffix")
class Suffix(Condition):
    """The text ends with the operand, or with one of a list."""

    synonyms = ("endswith", "ends_with", "ends", "stringendswith")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return TEXT_OR_LIST

    def __init__(self, operand: object) -> None:
        self.tails = read_texts(operand)

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and fold(value).endswith(self.tails)

    def clause(self) -> Clause:
        return Clause("EndsWith", self.tails)

    def assumptions(self) -> Assumptions:
        return Assumptions(shapes=tuple(TextShape(tail=tail) for tail in self.tails))
