r"""The whole text fits a regular expression in RE2's syntax, which takes linear time.

Letters match in either case, as everywhere in rules; `(?-i)` before the expression tells them apart.

where:
  model:
    version: {matches: '\d+\.\d+(-rc\d+)?'}
"""

from mlevents.conditions.condition import PRESENCE, Clause, Condition, JsonSchema, operator, quote_value
from mlevents.conditions.lookup import AnyValue, Lookup, Middle
from mlevents.conditions.regex_literal import find_literal

_LONGEST = 1000
_NO_LOOK = "; RE2 has no lookahead or lookbehind: write two conditions, one of them below `not`"


@operator("matches")
class Matches(Condition):
    """The whole text fits the regular expression."""

    synonyms = ("regex", "regexp", "re", "match", "=~")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return {"type": "string", "minLength": 1, "maxLength": _LONGEST}

    def __init__(self, operand: object) -> None:
        import re2

        if not isinstance(operand, str) or not operand:
            raise ValueError(
                f"wants a regular expression as a text, not {quote_value(operand)}: put it in quotes"
            )
        if len(operand) > _LONGEST:
            raise ValueError(f"is {len(operand)} characters long: keep the expression within {_LONGEST}")
        self.literal = find_literal(operand)
        options = re2.Options()
        options.case_sensitive = False
        options.dot_nl = True
        options.log_errors = False
        try:
            self.fit = re2.compile(operand, options=options).fullmatch
        except (re2.error, UnicodeError) as error:
            raise ValueError(
                f"{quote_value(operand)} is not a valid RE2 regular expression: {_reason(error)}"
            ) from error

    def holds(self, value: object) -> bool:
        try:
            return isinstance(value, str) and self.fit(value) is not None
        except UnicodeError:  # a lone surrogate, which no regular expression can name
            return False

    def clause(self) -> Clause:
        return Clause(PRESENCE, exact=False)

    def lookups(self) -> tuple[Lookup, ...]:
        return (Middle(self.literal) if self.literal else AnyValue(),)


def _reason(error: Exception) -> str:
    """RE2's words, which are bytes, or Python's for a text that is not Unicode."""
    words = error.args[0]
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(error)
    return f"{text}{_NO_LOOK}" if "(?=" in text or "(?!" in text or "(?<" in text else text
