"""Names that fulfil a `where`: an example event for a rule that has no test.

A value is tried from what the operator and its operand say; only values for which the conditions hold are
used, so an operator of your own needs nothing but an operand that leads to one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any

from mlevents.matching.condition_tree import FieldCondition, Node
from mlevents.matching.item_conditions import ItemCondition
from mlevents.matching.satisfiability import Literal, Way, list_ways
from mlevents.matching.where import Where

MOST_SAMPLES = 20
FILLERS = ("x", "1", "demo")
_PATTERNS = (
    (r"\\d", "1"),
    (r"\[[!^]?([^\]])[^\]]*\]", r"\1"),
    (r"\\w|(?<!\\)\.|\?(?![:=!])", "x"),
    (r"\(\?:|[()^$+*?\\]|\{[^}]*\}", ""),
)
"""How a pattern, of `glob` or of `matches`, becomes a text that it may fit."""


def list_sample_names(where: Where | None) -> Iterator[dict[str, Any]]:
    """Names by root that fulfil the conditions, one for each way to fulfil them; none where none is found."""
    if where is None:
        yield {}
        return
    yield from _find_samples(where.root)


def _find_samples(node: Node) -> Iterator[dict[str, Any]]:
    ways = list_ways(node) or []
    samples = (_fulfil_way(way) for way in ways)
    return (one for one in islice(samples, MOST_SAMPLES) if one is not None)


def _fulfil_way(way: Way) -> dict[str, Any] | None:
    """Names for which each condition of the way holds, or does not, as it asks; None if none are found."""
    fields: dict[tuple[str, ...], list[Literal]] = {}
    for literal in way:
        fields.setdefault(literal[0].keys, []).append(literal)
    names: dict[str, Any] = {}
    for keys, literals in fields.items():
        values = (one for one in (None, *_list_values(literals)) if _holds(literals, one))
        try:
            value = next(values)
        except StopIteration:
            return None
        if value is not None:
            _set_below(names, keys, value)
    return names


def _set_below(names: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    *path, last = keys
    for key in path:
        names = names.setdefault(key, {})
    names[last] = value


def _holds(literals: Iterable[Literal], value: Any) -> bool:
    return all(_nest(field, value) is wanted for field, wanted in literals)


def _nest(field: FieldCondition, value: Any) -> bool:
    names: dict[str, Any] = {}
    _set_below(names, field.keys, value)
    return field.holds(names)


def _list_values(literals: Iterable[Literal]) -> Iterator[Any]:
    """Values worth a try, in the type of the field."""
    fields = [field for field, _ in literals]
    for field in fields:
        if isinstance(field.condition, ItemCondition):
            yield from ([item] for item in _find_samples(field.condition.node))
    leaves = [leaf for field in fields for leaf in _find_leaves(field.wanted)]
    varied = [text for leaf in leaves for text in (leaf, *_vary_text(leaf))]
    for value in (*_assume_values(fields), *varied, *FILLERS, True, False):
        yield from _convert_value(fields[0].kind, value)


def _assume_values(fields: Iterable[FieldCondition]) -> Iterator[Any]:
    """Values that the operators themselves say they accept, for all conditions on a field together."""
    told = [one for field in fields if (one := field.condition.assumptions())]
    bounds = sorted({bound for one in told for bound in one.bounds})
    shapes = [shape for one in told for shape in one.shapes]
    yield from (value for one in told for value in one.accepted or ())
    yield from bounds
    yield from ((low + high) / 2 for low, high in pairwise(bounds))
    yield from (bound + step for bound in bounds for step in (0.01, -0.01, 1, -1))
    yield from (f"{shape.head}x{shape.middle}x{shape.tail}" for shape in shapes)
    yield from ("".join(shape) for shape in shapes)
    if shapes:
        longest = [max((shape[place] for shape in shapes), key=len) for place in (0, 2)]
        yield longest[0] + "x".join(["", *(shape.middle for shape in shapes), ""]) + longest[1]


def _find_leaves(wanted: Any) -> Iterator[Any]:
    if isinstance(wanted, Mapping):
        wanted = list(wanted.values())
    if isinstance(wanted, list | tuple):
        for one in wanted:
            yield from _find_leaves(one)
    elif wanted is not None and not isinstance(wanted, bool):
        yield wanted


def _vary_text(leaf: Any) -> Iterator[str]:
    text = str(leaf)
    yield from re.findall(r"[0-9][0-9.]*", text)
    for one in (text, *text.strip("()").split("|")):
        for pattern, instead in _PATTERNS:
            one = re.sub(pattern, instead, one)  # noqa: PLW2901
        yield one
    yield f"{text}x"
    yield f"x{text}"


def _convert_value(kind: str, value: Any) -> Iterator[Any]:
    """The value in the type of a field, if it can have it."""
    if kind == "boolean":
        yield from [value] if isinstance(value, bool) else []
    elif kind == "number":
        yield from [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []
    elif not isinstance(value, bool):
        text = value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
        if text:
            yield [text] if kind == "list" else text
