"""Whether some value can fulfil several conditions on one field, and fail several others.

The check tries witnesses: values of which at least one does it if any value does. Operators declare what
witnesses can be made of (`mlevents.conditions.assumptions`); a condition whose operator declares nothing is
left out, so it is never part of a contradiction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise, product
from typing import NamedTuple

from mlevents.conditions.assumptions import Assumptions, TextShape
from mlevents.conditions.condition import Condition

MOST_WITNESSES = 500
SEPARATOR = "\ue000"
"""A character that is in no operand: the parts of a text that it separates do not run into one another."""


class Requirement(NamedTuple):
    """A condition that must hold, or must not."""

    condition: Condition
    holds: bool


class Known(NamedTuple):
    """A requirement whose operator tells what may be assumed."""

    condition: Condition
    holds: bool
    assumptions: Assumptions


class Witnesses(NamedTuple):
    """Values to try; `by_shape` ones are made up, and count for conditions that look at shapes alone."""

    values: Sequence[object]
    by_shape: bool = False


def is_satisfiable(requirements: Sequence[Requirement], kind: str) -> bool:
    """Whether a value of this type of field, or its absence, can fulfil them; True where nobody can say."""
    known = [
        Known(condition, holds, assumptions)
        for condition, holds in requirements
        if (assumptions := condition.assumptions()) is not None
    ]
    witnesses = _WITNESSES[kind](known)
    if witnesses is None:
        return True
    judged = [one for one in known if one.assumptions.by_shape or not witnesses.by_shape]
    return any(all(one.condition.holds(value) is one.holds for one in judged) for value in witnesses.values)


def _numbers(known: Sequence[Known]) -> Witnesses:
    """Nothing, each number that is compared with, and one in each gap beside and between them."""
    bounds = sorted({float(bound) for one in known for bound in one.assumptions.bounds})
    gaps = [(low + high) / 2 for low, high in pairwise(bounds)]
    ends = [bounds[0] - 1, bounds[-1] + 1] if bounds else [0.0]
    return Witnesses([None, *bounds, *gaps, *ends])


def _texts(known: Sequence[Known]) -> Witnesses | None:
    for one in known:
        values = one.assumptions.accepted if one.holds else one.assumptions.rejected
        if values is not None:
            return Witnesses(values)
    wanted = [one.assumptions for one in known if one.holds and not one.assumptions.is_listed]
    if any(one.bounds for one in wanted):
        return _numbers(known) if all(one.bounds for one in wanted) else None
    return _made_up(wanted)


def _made_up(wanted: Sequence[Assumptions]) -> Witnesses | None:
    """Nothing, and for each choice of alternatives the text that is made of these alone."""
    choices = [one.shapes for one in wanted if one.shapes]
    several = list(islice(product(*choices), MOST_WITNESSES + 1))
    if len(several) > MOST_WITNESSES:
        return None
    return Witnesses(list(chain(_made_of(several), () if choices else (None,))), by_shape=True)


def _made_of(several: Sequence[Sequence[TextShape]]) -> Iterator[str]:
    """The text with the longest head and tail of each choice, if the others agree with these."""
    for shapes in several:
        head = max((shape.head for shape in shapes), key=len, default="")
        tail = max((shape.tail for shape in shapes), key=len, default="")
        if all(head.startswith(shape.head) and tail.endswith(shape.tail) for shape in shapes):
            yield SEPARATOR.join([head, *(shape.middle for shape in shapes if shape.middle), tail])


_WITNESSES: Mapping[str, Callable[[Sequence[Known]], Witnesses | None]] = {
    "text": _texts,
    "number": _numbers,
    "boolean": lambda _: Witnesses([None, True, False]),
    "list": lambda _: None,
    "items": lambda _: None,
}
