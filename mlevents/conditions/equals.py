"""Equal to the operand; a scalar alone means the same.

where:
  model:
    tags:
      stage: {equals: production}
"""

from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import Clause, JsonSchema, Membership, is_one_of, operator, quote_value


@operator("equals")
class Equals(Membership):
    """The value is the operand; texts compare without ASCII case."""

    synonyms = ("eq", "==", "=", "is", "equal", "equal_to", "string_in")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:
        return value

    def __init__(self, operand: object) -> None:
        if isinstance(operand, list):
            raise ValueError(f"wants one value, not the list {quote_value(operand)}: use `in` for a list")  # noqa: TRY004
        super().__init__([operand])

    def holds(self, value: object) -> bool:
        return is_one_of(value, self.keys)

    def clause(self) -> Clause:
        return Clause("In", self.values)

    def assumptions(self) -> Assumptions:
        return Assumptions(accepted=self.values, bounds=self.bounds)
