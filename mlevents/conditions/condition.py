"""What a condition is: an operator with its operand, strict when bound and total when asked."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeIs

from mlevents.canonical import fold
from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.lookup import Lookup
from mlevents.registry import Registry

TEXT = frozenset({"text", "list"})
NUMERIC = frozenset({"number", "text"})
ANY = frozenset({"text", "number", "boolean", "list", "items"})

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LONGEST_DECIMAL = 100
_LONGEST_SHOWN = 100
_GREATEST = 1e300


PRESENCE = "IsNotNull"

JsonSchema = Mapping[str, Any]
TEXT_OR_LIST: JsonSchema = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    ]
}
"""An operand that is one text or a list of texts; see `read_texts`."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What is so wherever a condition holds, in Event Grid's words without their type prefix.

    `operator` is `In`, `BeginsWith`, `IsNotNull` and so on. An exact clause says all that the
    condition says; another one lets more through.
    """

    operator: str
    values: tuple[object, ...] = ()
    exact: bool = True


class Condition(ABC):
    """One operator with its operand. `fits` are the types of field on which it can hold.

    `takes_list` says that it is asked of a list as a whole, and not of each element.
    """

    fits: frozenset[str] = TEXT
    synonyms: ClassVar[tuple[str, ...]] = ()
    """What other languages call the operator, in lower case: a message proposes the operator."""
    takes_list: ClassVar[bool] = False

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        """The JSON Schema of the operand; `value` is that of the field's own values."""
        return {}

    @abstractmethod
    def __init__(self, operand: object) -> None:
        """Take the operand as written; raises ValueError, with the remedy, for one of no use."""

    @abstractmethod
    def holds(self, value: object) -> bool:
        """Whether it holds for this value; None is a missing one. Never raises."""

    def find_subject(self, value: object) -> object:
        """The part of a value that decides whether it holds: all of it, unless it looks at single items."""
        return value

    def clause(self) -> Clause | None:
        """The strongest clause that follows from this condition; None when nothing follows."""
        return None

    def lookups(self) -> tuple[Lookup, ...] | None:
        """How rules with this condition are found by a value; None for what follows from `clause`."""
        return None

    def assumptions(self) -> Assumptions | None:
        """What `check` may assume of the values that it accepts; None for nothing."""
        return None


class Membership(Condition):
    """What equals, in and not-in share: values that are compared as a whole."""

    fits = ANY - {"items"}

    @property
    def bounds(self) -> tuple[float, ...]:
        """The numbers among the values."""
        return tuple(value for value in self.values if isinstance(value, int | float))

    def __init__(self, values: list[object]) -> None:
        self.values = tuple(values)
        self.keys = frozenset(scalar(value) for value in values)
        types = {kind for kind, _ in self.keys}
        only = types.pop() if len(types) == 1 else ""
        self.fits = TEXT if only == "text" else frozenset({only})


operator = Registry[type[Condition]]("operator", "mlevents.conditions", Condition)


def type_of(value: object) -> str:
    """`text`, `number` or `boolean`; raises ValueError for anything else."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    if is_finite(value):
        return "number"
    if value is None:
        raise ValueError("null cannot be compared: write `absent: true` for a missing value")
    raise ValueError(f"must be text, a number, true or false, not {quote_value(value)}")


def scalar(value: object) -> tuple[str, object]:
    """What two equal values have in common; raises ValueError for what is no scalar."""
    kind = type_of(value)
    return kind, fold(value) if isinstance(value, str) else value


def is_one_of(value: object, keys: frozenset[tuple[str, object]]) -> bool:
    """Whether the value is a scalar equal to one of these. Never raises."""
    if isinstance(value, str):
        return ("text", fold(value)) in keys
    try:
        return scalar(value) in keys
    except ValueError:
        return False


def as_number(value: object) -> float | None:
    """The number that a value is, or that a text writes in decimals; None for anything else.

    A boolean is no number, and neither is a text of more than 100 characters.
    """
    if not isinstance(value, str):
        return value if is_finite(value) else None
    if len(value) > _LONGEST_DECIMAL or not _DECIMAL.fullmatch(value):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def is_finite(value: object) -> TypeIs[float]:
    """Whether the value is a number, finite and no boolean."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, float) and math.isfinite(value)
    )


def read_texts(operand: object) -> tuple[str, ...]:
    """The operand, one text or a list of them, folded; raises ValueError for anything else."""
    found = operand if isinstance(operand, list) else [operand]
    if not found:
        raise ValueError("an empty list never matches: name at least one text")
    if others := [text for text in found if not isinstance(text, str)]:
        raise ValueError(f"wants a text or a list of texts, not {quote_value(others[0])}: put it in quotes")
    if "" in found:
        raise ValueError("an empty text matches every text: write `present: true` to ask for any value")
    return tuple(dict.fromkeys(map(fold, found)))


def read_number(operand: object) -> float:
    """The operand, a finite number; raises ValueError for anything else."""
    if is_finite(operand) and abs(operand) < _GREATEST:
        return operand
    remedy = ": leave out the quotes" if as_number(operand) is not None else ""
    raise ValueError(f"wants a number, not {quote_value(operand)}{remedy}")


def quote_value(value: object) -> str:
    """A value as a message quotes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    text = str(value).encode(errors="backslashreplace").decode()
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return f"'{short}'" if isinstance(value, str) else short
