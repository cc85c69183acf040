"""The filters of expressions: `${value | filter(argument)}`. No other filters exist."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jinja2 import Undefined

from mlevents.canonical import fold
from mlevents.conditions.condition import as_number, quote_value

MAX_TEXT_LENGTH = 1_000_000
"""The most characters that the result of an expression may have."""


def insert_text(value: Any) -> str:
    """A value inside a text: true and false in lower case, maps and lists as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def require_value(value: Any) -> Any:
    """The value; raises UndefinedError, which names the path, when it is missing."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    return value


def default(value: Any, other: Any) -> Any:
    """The value, or the other when it is missing."""
    return other if isinstance(value, Undefined) else value


def lower(value: Any) -> str:
    """In lower case."""
    return insert_text(value).lower()


def upper(value: Any) -> str:
    """In upper case."""
    return insert_text(value).upper()


def slug(value: Any, most: int = 63) -> str:
    """Lower-case ASCII letters and digits, joined by single dashes, at most `most` characters."""
    plain = unicodedata.normalize("NFKD", insert_text(value)).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "-", fold(plain)).strip("-")[:most].rstrip("-")
    if not made:
        raise ValueError(f"`slug` leaves nothing of {quote_value(value)}: it has no letter and no digit")
    return made


def to_int(value: Any) -> int:
    """A whole number; decimals are cut off."""
    return int(to_float(value))


def to_float(value: Any) -> float:
    """A number, or the number in a text in decimal notation."""
    found = as_number(value)
    if found is None:
        raise ValueError(f"{quote_value(value)} is not a number: `int` and `float` need one")
    return found


def truncate(value: Any, most: int) -> str:
    """At most `most` characters; the last is … when the text was cut."""
    said = insert_text(value)
    return said if len(said) <= most else said[: most - 1] + "…"


def replace(value: Any, old: Any, new: Any) -> str:
    """With every occurrence of a text replaced by another."""
    said, gone, put = insert_text(value), insert_text(old), insert_text(new)
    if not gone:
        raise ValueError("the first argument of `replace` is empty: write the text to replace")
    if len(said) + said.count(gone) * len(put) > MAX_TEXT_LENGTH:
        raise ValueError(f"the result of `replace` has more than {MAX_TEXT_LENGTH:,} characters")
    return said.replace(gone, put)


def join_texts(values: list[Any]) -> str:
    """The result of `a ~ b`."""
    said = [insert_text(require_value(value)) for value in values]
    if sum(map(len, said)) > MAX_TEXT_LENGTH:
        raise ValueError(f"the result of `~` has more than {MAX_TEXT_LENGTH:,} characters")
    return "".join(said)


class ExpressionFilter(NamedTuple):
    """A filter: its function, the least and most arguments, and whether they must be whole numbers."""

    call: Callable[..., Any]
    least: int = 0
    most: int = 0
    counts: bool = False


FILTERS: Mapping[str, ExpressionFilter] = {
    "default": ExpressionFilter(default, 1, 1),
    "lower": ExpressionFilter(lower),
    "upper": ExpressionFilter(upper),
    "slug": ExpressionFilter(slug, 0, 1, counts=True),
    "int": ExpressionFilter(to_int),
    "float": ExpressionFilter(lambda value: float(to_float(value))),
    "json": ExpressionFilter(lambda value: json.dumps(value, ensure_ascii=False)),
    "truncate": ExpressionFilter(truncate, 1, 1, counts=True),
    "replace": ExpressionFilter(replace, 2, 2),
}
