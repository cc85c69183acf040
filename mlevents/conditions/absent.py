"""The key has no value; null counts as none.

where:
  model:
    tags:
      hold: {absent: true}
"""

from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import ANY, Clause, Condition, JsonSchema, operator, quote_value


@operator("absent")
class Absent(Condition):
    """There is no value."""

    synonyms = ("missing", "not_exists", "is_null", "isnull", "null", "undefined", "isnullorundefined")

    fits = ANY

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return {"const": True}

    def __init__(self, operand: object) -> None:
        if operand is not True:
            raise ValueError(f"wants true, not {quote_value(operand)}: the opposite is `present: true`")

    def holds(self, value: object) -> bool:
        return value is None

    def clause(self) -> Clause:
        return Clause("IsNullOrUndefined")

    def assumptions(self) -> Assumptions:
        return Assumptions(accepted=(None,))
