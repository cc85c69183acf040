"""The whole text fits a pattern, or one of a list: `*` any characters, `?` one, `[ab]` one of these.

where:
  model:
    tags:
      stage: {glob: prod-*}
"""

import re
from fnmatch import translate

from mlevents.canonical import fold
from mlevents.conditions.assumptions import Assumptions, TextShape
from mlevents.conditions.condition import (
    PRESENCE,
    TEXT_OR_LIST,
    Clause,
    Condition,
    JsonSchema,
    operator,
    read_texts,
)
from mlevents.conditions.lookup import AnyValue, Head, Lookup, Middle, Tail

_LITERAL = re.compile(r"[^*?\[]*")
_SIMPLE = re.compile(r"\*?([^*?\[]+)\*|\*[^*?\[]+")
"""`a*`, `*a*` and `*a`: what such a pattern says, head, middle and tail say as well."""
_TAIL = re.compile(r"[^*?\[\]]*\Z")


@operator("glob")
class Glob(Condition):
    """The whole text fits one of the operand's patterns."""

    synonyms = ("like", "wildcard", "pattern", "fnmatch")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return TEXT_OR_LIST

    def __init__(self, operand: object) -> None:
        self.patterns = read_texts(operand)
        self.fit = re.compile("|".join(map(translate, self.patterns))).match
        self.heads = tuple(literal_head(pattern) for pattern in self.patterns)

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and self.fit(fold(value)) is not None

    def clause(self) -> Clause:
        known = all(self.heads)
        return Clause("BeginsWith", self.heads, exact=False) if known else Clause(PRESENCE, exact=False)

    def lookups(self) -> tuple[Lookup, ...]:
        return tuple(_lookup(_shape(pattern, literal_head(pattern))) for pattern in self.patterns)

    def assumptions(self) -> Assumptions:
        shapes = tuple(map(_shape, self.patterns, self.heads))
        return Assumptions(shapes=shapes, by_shape=all(map(_SIMPLE.fullmatch, self.patterns)))


def literal_head(pattern: str) -> str:
    """What every text that fits the pattern begins with; may be empty."""
    found = _LITERAL.match(pattern)
    return found.group() if found else ""


def _shape(pattern: str, head: str) -> TextShape:
    """What every text that fits the pattern has."""
    tail, simple = _TAIL.search(pattern), _SIMPLE.fullmatch(pattern)
    inner = simple[1] if simple and not head else None
    return TextShape(head, inner or "", tail.group() if tail else "")


def _lookup(shape: TextShape) -> Lookup:
    """By the longest part that is known."""
    longest = max(shape, key=len)
    if not longest:
        return AnyValue()
    return (Head, Middle, Tail)[shape.index(longest)](longest)
