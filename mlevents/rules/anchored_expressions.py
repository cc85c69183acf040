"""Regular expressions that are written for a search, where `matches` compares the whole text."""

import re
from collections.abc import Iterator

_FLAGS = re.compile(r"(?:\(\?[a-zA-Z-]+\))*")
_OPEN_END = re.compile(r"(?:\.\*|\.\+)\??\)*$")
_OPEN_START = re.compile(r"^\(*(?:\.\*|\.\+)")
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


def find_anchor_mistake(expression: object) -> Iterator[tuple[str, bool]]:
    """What is wrong, and whether the expression cannot mean what it says."""
    if not isinstance(expression, str) or not expression:
        return
    for branch in _split_branches(expression[_FLAGS.match(expression).end() :]):  # type: ignore[union-attr]
        starts = branch.startswith(("^", r"\A"))
        ends = re.search(r"(?<!\\)(?:\\\\)*\$$|\\z$", branch) is not None
        inner = re.sub(r"^(?:\^|\\A)|(?:\$|\\z)$", "", branch)
        is_plain = not _SPECIAL.search(inner.replace(r"\.", "").replace(r"\-", ""))
        if starts and not ends and not _OPEN_END.search(branch):
            yield _describe_start(expression, inner, is_plain), is_plain
        elif ends and not starts and not _OPEN_START.search(branch):
            yield _describe_end(expression, inner, is_plain), is_plain
        elif not starts and not ends and is_plain and branch == expression:
            remedy = f"write `{{contains: {inner}}}` to search, or `{{equals: {inner}}}`"
            yield f"'{expression}' has to match the whole text, so it matches only '{inner}': {remedy}", False
        else:
            continue
        return


def _describe_start(expression: str, inner: str, is_plain: bool) -> str:
    plain = f"write `{{prefix: {_unescape(inner)}}}`" if is_plain else "add `.*` at its end, or `$`"
    return f"'{expression}' has to match the whole text, not its beginning alone: {plain}"


def _describe_end(expression: str, inner: str, is_plain: bool) -> str:
    plain = f"write `{{suffix: {_unescape(inner)}}}`" if is_plain else "add `.*` at its beginning, or `^`"
    return f"'{expression}' has to match the whole text, not its end alone: {plain}"


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _split_branches(expression: str) -> list[str]:
    """The alternatives at the top of an expression."""
    branches, depth, start, at, in_class = [], 0, 0, 0, False
    while at < len(expression):
        character = expression[at]
        if character == "\\":
            at += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character == "|" and depth == 0:
            branches.append(expression[start:at])
            start = at + 1
        else:
            depth += (character == "(") - (character == ")")
        at += 1
    return [*branches, expression[start:]]
