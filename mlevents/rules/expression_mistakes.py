"""Values that are valid and cannot mean what they say, such as `{{ x }}`, or `if:` on a tag's text."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from mlevents.canonical import fold
from mlevents.conditions.condition import as_number
from mlevents.events.known_values import KNOWN_VALUES
from mlevents.expressions.grammar import parse_expression, read_path
from mlevents.expressions.template import Piece, TemplateError, split_template
from mlevents.rules.condition_mistakes import Mistake
from mlevents.yamlfile.positions import join_path

_BRACES = re.compile(r"(?<!\$)\{\{-?\s*(?P<source>(?P<root>[A-Za-z_]\w*)[^{}]*?)\s*-?\}\}")
_GITHUB = re.compile(r"(?<!\$)\$\{\{\s*(?P<source>[^{}]*?)\s*\}\}")
_SINGLE = re.compile(r"(?<![{$@%])(?:\{|\$\()(?P<source>(?P<root>[a-z]+)\.(?P<field>[a-z_]+)[\w.]*)[})]")
_BRACKETS = re.compile(r"\{|\$\(")
"""What every mistake in a text has."""
_FIELD_KEYS = 2
"""The keys of a field; a tag or a property has one more."""
_ROOTS = ("steps", "failure", "env", "group", "response", "endpoint")
_ORDER = ("gt", "gteq", "lt", "lteq")
_KEEP_TEXT = ("default", "lower", "upper", "truncate", "replace", "slug")


def find_value_mistakes(value: object, names: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    """What is wrong in the texts of a JSON value; `names` are those that its expressions may read."""
    if isinstance(value, str):
        yield from _find_text_mistakes(value, names, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from find_value_mistakes(inner, names, join_path(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from find_value_mistakes(inner, names, join_path(path, index))


def find_if_mistakes(text: object, names: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    """Texts of the event that an `if` takes for true or false: every text but an empty one is true."""
    for piece in _split(text) if isinstance(text, str) else ():
        tree = _parse(piece.source) if isinstance(piece, Piece) else None
        for node in _find_truths(tree) if tree else ():
            if found := _read_text(node, names):
                name, is_bare = found
                yield Mistake(path, _describe_truth(name), is_bare)


def _describe_truth(name: str) -> str:
    return (
        f"{name} is a text, and every text but an empty one counts as true, even 'false': "
        f"compare it, as in ${{{name} == 'true'}}"
    )


def _find_text_mistakes(text: str, names: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    if not _BRACKETS.search(text):
        return
    found = _GITHUB.search(text)
    if found and _parse(f"{{{found['source']}}}") is None:  # not a map, which has braces too
        yield Mistake(path, f"'{found[0]}' is not an expression of rules: write ${{{found['source']}}}")
        return
    for piece in _split(text):
        if isinstance(piece, Piece):
            tree = _parse(piece.source)
            for fault, is_error in _find_comparisons(tree, names) if tree else ():
                yield Mistake(path, fault, is_error)
            continue
        for found in _BRACES.finditer(piece):
            remedy = f"write ${{{found['source']}}}"
            known = found["root"] in names or found["root"] in _ROOTS
            yield Mistake(path, f"'{found[0]}' is plain text here, not a value: {remedy}", known)
        for found in _SINGLE.finditer(piece):
            fields = names.get(found["root"])
            if isinstance(fields, Mapping) and found["field"] in fields:
                remedy = f"write ${{{found['source']}}}"
                yield Mistake(path, f"'{found[0]}' is plain text here, not a value: {remedy}", is_error=False)


def _split(text: str) -> tuple[str | Piece, ...]:
    try:
        return split_template(text)
    except TemplateError:
        return ()  # reported where expressions are checked


@lru_cache(maxsize=4096)
def _parse(source: str) -> nodes.Expr | None:
    try:
        return parse_expression(source)
    except (ValueError, TemplateSyntaxError, RecursionError):
        return None  # reported where expressions are checked


def _find_truths(node: nodes.Node) -> Iterator[nodes.Node]:
    """The parts of an expression that are taken for true or false."""
    if isinstance(node, nodes.And | nodes.Or):
        yield from _find_truths(node.left)
        yield from _find_truths(node.right)
    elif isinstance(node, nodes.Not):
        yield from _find_truths(node.node)
    elif isinstance(node, nodes.CondExpr):
        for part in (node.test, node.expr1, node.expr2):
            yield from _find_truths(part) if part else ()
    else:
        yield node


def _read_text(node: nodes.Node, names: Mapping[str, Any]) -> tuple[str, bool] | None:
    """The name of a text of the event, and whether it is a tag without a filter; None for anything else."""
    is_bare = True
    while isinstance(node, nodes.Filter) and node.name in _KEEP_TEXT and node.node:
        node, is_bare = node.node, False
    keys = _read_keys(node)
    if not keys or _find_type(keys, names) != "text":
        return None
    return ".".join(map(str, keys)), is_bare and len(keys) > _FIELD_KEYS


def _read_keys(node: nodes.Node) -> tuple[str | int, ...] | None:
    if not isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
        return None
    try:
        return read_path(node)
    except ValueError:
        return None


def _find_type(keys: tuple[str | int, ...], names: Mapping[str, Any]) -> str | None:
    below: Any = names
    for key in keys:
        if below == "texts":
            return "text"
        if not isinstance(below, Mapping) or key not in below:
            return None
        below = below[key]
    return below if isinstance(below, str) else None


def _find_comparisons(tree: nodes.Node, names: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Comparisons of a text with a number or a boolean, and with a value that the field never has."""
    several = [tree] if isinstance(tree, nodes.Compare) else []
    for node in (*several, *tree.find_all(nodes.Compare)):
        for one in node.ops:
            sides = (node.expr, one.expr), (one.expr, node.expr)
            for subject, other in sides:
                value = other.value if isinstance(other, nodes.Const) else None
                keys = _read_keys(subject)
                if value is not None and keys and _find_type(keys, names) == "text":
                    yield from _check_comparison(keys, one.op, value)


def _check_comparison(keys: tuple[str | int, ...], op: str, value: object) -> Iterator[tuple[str, bool]]:
    name = ".".join(map(str, keys))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, bool):
        text = str(value).lower()
        yield f"{name} is a text and never equal to {text}: compare it with '{text}' in quotes", True
    elif is_number and op in (*_ORDER, "eq", "ne"):
        yield f"{name} is a text, {value} is a number: write `{name} | float` to compare numbers", True
    elif isinstance(value, str) and op in _ORDER and as_number(value) is not None:
        yield f"{name} and '{value}' compare as texts, letter by letter: write `{name} | float`", False
    known = KNOWN_VALUES.get(tuple(map(str, keys)))
    if known and isinstance(value, str) and op in ("eq", "ne") and value not in known.values:
        exact = {fold(one): one for one in known.values}.get(fold(value))
        if exact:
            fact = f"expressions compare with case, and {name} is '{exact}', not '{value}'"
            yield f"{fact}: write `{name} | lower == '{value.lower()}'`", False
        else:
            yield (
                f"{name} is never '{value}': the known values are {', '.join(known.values)}",
                known.is_closed,
            )
