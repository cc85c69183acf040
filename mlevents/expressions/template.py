"""Splits a text with `${…}` into literal texts and expressions."""

from typing import NamedTuple

EXPRESSION_START = "${"
ESCAPED_START = "$${"


class Piece(NamedTuple):
    """The source of one expression, and the column at which it begins, from 1."""

    source: str
    column: int


class TemplateError(ValueError):
    """A text whose expressions have no clear beginning and end."""


def split_template(text: str) -> tuple[str | Piece, ...]:
    """The literal texts and expressions, in their order; `$${` is the literal `${`.

    Raises TemplateError for an expression without an end or without content.
    """
    found: list[str | Piece] = []
    literal, at = "", 0
    while at < len(text):
        next_at = text.find("$", at)
        next_at = len(text) if next_at < 0 else next_at
        literal, at = literal + text[at:next_at], next_at
        if text.startswith(ESCAPED_START, at):
            literal, at = literal + EXPRESSION_START, at + len(ESCAPED_START)
        elif text.startswith(EXPRESSION_START, at):
            end = _end(text, at + len(EXPRESSION_START))
            found += [literal] if literal else []
            found.append(_piece(text, at + len(EXPRESSION_START), end))
            literal, at = "", end + 1
        else:
            literal, at = literal + text[at : at + 1], at + 1
    return (*found, literal) if literal else tuple(found)


def _piece(text: str, start: int, end: int) -> Piece:
    if not text[start:end].strip():
        raise TemplateError(f"column {start - 1}: `${{}}` is empty: name a value, or write `$${{` for text")
    return Piece(text[start:end], start + 1)


def _end(text: str, start: int) -> int:
    """The place of the brace that closes an expression; braces in quotes and in maps do not."""
    quote, depth, at = "", 0, start
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "}" and depth == 0:
            return at
        else:
            depth += (character == "{") - (character == "}")
        at += 1
    missing = f"the quote {quote} is not closed" if quote else "a `}` is missing"
    raise TemplateError(f"column {start - 1}: {missing} after `${{`; write `$${{` for text")
