"""The key has a value; null counts as none.

where:
  model:
    tags:
      owner: {present: true}
"""

from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import ANY, Clause, Condition, JsonSchema, operator, quote_value


@operator("present")
class Present(Condition):
    """There is a value, whatever it is."""

    synonyms = ("exists", "is_set", "isset", "defined", "not_null", "isnotnull")

    fits = ANY

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return {"const": True}

    def __init__(self, operand: object) -> None:
        if operand is not True:
            raise ValueError(f"wants true, not {quote_value(operand)}: the opposite is `absent: true`")

    def holds(self, value: object) -> bool:
        return value is not None

    def clause(self) -> Clause:
        return Clause("IsNotNull")

    def assumptions(self) -> Assumptions:
        return Assumptions(rejected=(None,))
