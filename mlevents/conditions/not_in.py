"""Equal to none of a list; a missing key matches, as in Event Grid.

where:
  model:
    tags:
      stage: {not-in: [draft, archived]}
"""

from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import Clause, JsonSchema, Membership, is_one_of, operator


@operator("not-in")
class NotIn(Membership):
    """The value is none of the operand's, one or a list, or there is no value."""

    synonyms = ("ne", "neq", "!=", "not_equal", "not_equals", "notin", "not_in", "nin", "none_of")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:
        return {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}

    def __init__(self, operand: object) -> None:
        values = operand if isinstance(operand, list) else [operand]
        if not values:
            raise ValueError("an empty list always matches: name at least one value")
        super().__init__(values)

    def holds(self, value: object) -> bool:
        return not is_one_of(value, self.keys)

    def clause(self) -> Clause:
        return Clause("NotIn", self.values)

    def assumptions(self) -> Assumptions:
        return Assumptions(rejected=self.values, bounds=self.bounds)
