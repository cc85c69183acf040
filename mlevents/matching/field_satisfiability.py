"""Whether any value at all can fulfil some conditions on one field, and fail some others.

Told by witnesses: values of which one does it if any value does. Where no such values are known, the
answer is that there may be one.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise, product
from typing import NamedTuple

from mlevents.conditions.absent import Absent
from mlevents.conditions.between import Between
from mlevents.conditions.condition import Comparison, Condition, Membership
from mlevents.conditions.contains import Contains
from mlevents.conditions.glob import Glob
from mlevents.conditions.matches import Matches
from mlevents.conditions.not_in import NotIn
from mlevents.conditions.prefix import Prefix
from mlevents.conditions.present import Present
from mlevents.conditions.suffix import Suffix
from mlevents.conditions.version import VersionRange

MOST_WITNESSES = 500
FRESH = "\ue000"
"""A character that stands in no operand: what it parts can be told apart."""

_SIMPLE = re.compile(r"\*?([^*?\[]+)\*|\*[^*?\[]+")
_TAIL = re.compile(r"[^*?\[\]]*\Z")
_OF_TEXT = (Prefix, Suffix, Contains, Glob, Matches, VersionRange)


class Asked(NamedTuple):
    """A condition that must hold, or must not."""

    condition: Condition
    holds: bool


class Shape(NamedTuple):
    """What a text must begin with, contain and end with."""

    head: str = ""
    middle: str = ""
    tail: str = ""


class Witnesses(NamedTuple):
    """Values to ask; made up ones say nothing about conditions whose every text nobody can tell."""

    values: Sequence[object]
    made_up: bool = False


def possible(asked: Sequence[Asked], kind: str) -> bool:
    """Whether a value of this type of field, or its absence, can be as asked; True where nobody can tell."""
    witnesses = _WITNESSES[kind](asked)
    if witnesses is None:
        return True
    told = [one for one in asked if not _is_dark(one.condition, witnesses.made_up)]
    return any(all(one.condition.holds(value) is one.holds for one in told) for value in witnesses.values)


def _is_dark(condition: Condition, made_up: bool) -> bool:
    """Whether what it says to a witness says nothing of other values."""
    if isinstance(condition, Glob):
        return made_up and not all(_SIMPLE.fullmatch(pattern) for pattern in condition.patterns)
    return isinstance(condition, Matches) or (made_up and isinstance(condition, VersionRange))


def _numbers(asked: Sequence[Asked]) -> Witnesses:
    """Nothing, each number that is compared with, and one in each gap beside and between them."""
    bounds = sorted({float(bound) for one in asked for bound in _bounds(one.condition)})
    gaps = [(low + high) / 2 for low, high in pairwise(bounds)]
    ends = [bounds[0] - 1, bounds[-1] + 1] if bounds else [0.0]
    return Witnesses([None, *bounds, *gaps, *ends])


def _bounds(condition: Condition) -> tuple[float, ...]:
    if isinstance(condition, Between):
        return condition.low, condition.high
    if isinstance(condition, Membership):
        return tuple(value for value in condition.values if isinstance(value, int | float))
    return (condition.bound,) if isinstance(condition, Comparison) else ()


def _texts(asked: Sequence[Asked]) -> Witnesses | None:
    wanted = [one.condition for one in asked if one.holds]
    exact = next((found for one in asked if (found := _exact(one))), None)
    if exact:
        return exact
    if any(isinstance(one, Comparison | Between) for one in wanted):
        return None if any(isinstance(one, _OF_TEXT) for one in wanted) else _numbers(asked)
    return _made_up(wanted)


def _exact(one: Asked) -> Witnesses | None:
    """All values but for their case, where the condition names them."""
    condition, holds = one
    if isinstance(condition, Absent if holds else Present):
        return Witnesses([None])
    if isinstance(condition, Membership) and isinstance(condition, NotIn) is not holds:
        return Witnesses(condition.values)
    return None


def _made_up(wanted: Sequence[Condition]) -> Witnesses | None:
    """Nothing, and for each choice of alternatives the text that is made of these alone."""
    choices = [found for one in wanted if (found := _alternatives(one))]
    several = list(islice(product(*choices), MOST_WITNESSES + 1))
    if len(several) > MOST_WITNESSES:
        return None
    made = (text for shapes in several if (text := _text(shapes)) is not None)
    return Witnesses(list(chain(made, () if choices else (None,))), made_up=True)


def _alternatives(condition: Condition) -> list[Shape]:
    if isinstance(condition, Prefix):
        return [Shape(head=head) for head in condition.heads]
    if isinstance(condition, Suffix):
        return [Shape(tail=tail) for tail in condition.tails]
    if isinstance(condition, Contains):
        return [Shape(middle=part) for part in condition.parts]
    return list(_of_patterns(condition)) if isinstance(condition, Glob) else []


def _of_patterns(condition: Glob) -> Iterator[Shape]:
    for pattern, head in zip(condition.patterns, condition.heads, strict=True):
        tail, simple = _TAIL.search(pattern), _SIMPLE.fullmatch(pattern)
        inner = simple[1] if simple and not head else None
        yield Shape(head, inner or "", tail.group() if tail else "")


def _text(shapes: Sequence[Shape]) -> str | None:
    """The text with the longest head and tail, if the others agree with these."""
    head = max((shape.head for shape in shapes), key=len, default="")
    tail = max((shape.tail for shape in shapes), key=len, default="")
    if not all(head.startswith(shape.head) and tail.endswith(shape.tail) for shape in shapes):
        return None
    return FRESH.join([head, *(shape.middle for shape in shapes if shape.middle), tail])


_WITNESSES: Mapping[str, Callable[[Sequence[Asked]], Witnesses | None]] = {
    "text": _texts,
    "number": _numbers,
    "boolean": lambda _: Witnesses([None, True, False]),
    "list": lambda _: None,
}
