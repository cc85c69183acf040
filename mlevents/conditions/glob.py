"""The whole text fits a pattern, or one of a list: `*` any characters, `?` one, `[ab]` one of these.

where:
  model:
    tags:
      stage: {glob: prod-*}
"""

import re
from fnmatch import translate

from mlevents.canonical import fold
from mlevents.conditions.condition import Clause, Condition, operator, texts

_LITERAL = re.compile(r"[^*?\[]*")


@operator("glob")
class Glob(Condition):
    """The whole text fits one of the operand's patterns."""

    def __init__(self, operand: object) -> None:
        self.patterns = texts(operand)
        self.fit = re.compile("|".join(map(translate, self.patterns))).match
        self.heads = tuple(literal_head(pattern) for pattern in self.patterns)

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and self.fit(fold(value)) is not None

    def clause(self) -> Clause:
        return Clause("BeginsWith", self.heads, exact=False) if all(self.heads) else super().clause()


def literal_head(pattern: str) -> str:
    """What every text that fits the pattern begins with; may be empty."""
    found = _LITERAL.match(pattern)
    return found.group() if found else ""
