"""What unquoted YAML text means here: YAML's own guesses (on, 0o7, 12:30:00, 1_000) are not made."""

import re
from typing import Any

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", re.ASCII)
_NUMBER_STARTS = frozenset("-0123456789")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

Scalar = str | int | float | bool | None
_MAX_QUOTE = 80


class WrittenFloat(float):
    """A number with a point that remembers its digits: `1.10` is shown as `1.10`."""

    written: str

    def __str__(self) -> str:
        return self.written


def to_plain_numbers(value: Any) -> Any:
    """A JSON value whose numbers are plain ones: no writer of YAML or JSON knows a `WrittenFloat`.

    What aliases share stays shared.
    """
    return _copied(value, {})


def _copied(value: Any, known: dict[int, Any]) -> Any:
    if isinstance(value, WrittenFloat):
        return float(value)
    if not isinstance(value, dict | list):
        return value
    if id(value) not in known:
        if isinstance(value, dict):
            known[id(value)] = {key: _copied(inner, known) for key, inner in value.items()}
        else:
            known[id(value)] = [_copied(inner, known) for inner in value]
    return known[id(value)]


def parse_scalar(text: str) -> Scalar:
    """What an unquoted text means: a boolean, null, a decimal number, or itself."""
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text) if text[0] in _NUMBER_STARTS else None
    if not number:
        return text
    if not number[1]:
        return int(text)
    value = WrittenFloat(text)
    value.written = text
    return value


def quote(value: object) -> str:
    """A value for a message, with its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text '{value if len(value) <= _MAX_QUOTE else value[:_MAX_QUOTE] + '…'}'"
    return f"the number {value}"
