"""Within two numbers, both included; the text of a tag is converted.

where:
  drift:
    coefficient: {between: [0.3, 0.7]}
"""

from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import (
    NUMERIC,
    Clause,
    Condition,
    JsonSchema,
    as_number,
    operator,
    quote_value,
    read_number,
)


@operator("between")
class Between(Condition):
    """The number, or the decimal number that a text writes, is within the operand's two."""

    synonyms = ("range", "within", "inrange")

    fits = NUMERIC

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}

    def __init__(self, operand: object) -> None:
        if not isinstance(operand, list) or len(operand) != 2:
            raise ValueError(f"wants two numbers, as in [0.3, 0.7], not {quote_value(operand)}")
        self.low, self.high = read_number(operand[0]), read_number(operand[1])
        if self.low > self.high:
            raise ValueError(
                f"never matches, because {self.low} is more than {self.high}: write the smaller number first"
            )

    def holds(self, value: object) -> bool:
        found = as_number(value)
        return found is not None and self.low <= found <= self.high

    def clause(self) -> Clause:
        return Clause("InRange", ((self.low, self.high),))

    def assumptions(self) -> Assumptions:
        return Assumptions(bounds=(self.low, self.high))
