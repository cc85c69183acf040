"""Equal to one of a list; a list alone means the same.

where:
  run:
    status: {in: [failed, canceled]}
"""

from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import Clause, JsonSchema, Membership, is_one_of, operator, quote_value


@operator("in")
class In(Membership):
    """The value is one of the operand's; texts compare without ASCII case."""

    synonyms = ("one_of", "any_of", "is_in", "includes")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:
        return {"type": "array", "items": value, "minItems": 1}

    def __init__(self, operand: object) -> None:
        if not isinstance(operand, list):
            raise ValueError(f"wants a list, not {quote_value(operand)}: use `equals` for one value")  # noqa: TRY004
        if not operand:
            raise ValueError("an empty list never matches: name at least one value")
        super().__init__(operand)

    def holds(self, value: object) -> bool:
        return is_one_of(value, self.keys)

    def clause(self) -> Clause:
        return Clause("In", self.values)

    def assumptions(self) -> Assumptions:
        return Assumptions(accepted=self.values, bounds=self.bounds)
