"""What the operators have in common that compare with one number."""

from abc import abstractmethod
from typing import ClassVar

from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import NUMERIC, Clause, Condition, JsonSchema, as_number, read_number


class Comparison(Condition):
    """What gt, gte, lt and lte share: one number, compared with numbers and decimal texts."""

    fits = NUMERIC
    name: ClassVar[str]

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return {"type": "number"}

    def __init__(self, operand: object) -> None:
        self.bound = read_number(operand)

    def holds(self, value: object) -> bool:
        found = as_number(value)
        return found is not None and self.compares(found)

    @abstractmethod
    def compares(self, found: float) -> bool:
        """Whether the comparison of the number found with the bound is true."""

    def clause(self) -> Clause:
        return Clause(self.name, (self.bound,))

    def assumptions(self) -> Assumptions:
        return Assumptions(bounds=(self.bound,))
