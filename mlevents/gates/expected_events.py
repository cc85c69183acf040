"""The events for which a rule waits, besides those that it asks for: which they are, and to what they belong.

A value of their `where` may be one expression: it is filled in with the event that the rule answers. The
values of an event that comes, at these places, say to which of the waiting responses it belongs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.canonical import fold, join_parts
from mlevents.conditions.condition import operator
from mlevents.events import Event
from mlevents.expressions.filters import insert_text
from mlevents.expressions.interpolation import find_expression_texts
from mlevents.expressions.template import EXPRESSION_START
from mlevents.matching.condition_tree import FieldCondition, find_value
from mlevents.matching.match import find_event_kind
from mlevents.matching.where import COMBINATORS, Where, bind_where
from mlevents.yamlfile.positions import PathProblem

FieldPath = tuple[str, ...]
_OPEN_MAPS = (("tags",), ("properties",))
"""Below these, the keys are those of the event, and no operators."""
COMPARABLE = ("text", "number", "boolean")
"""The types of fields that an expression can be equal to."""


@dataclass(frozen=True, slots=True)
class ExpectedEvents:
    """Events of these kinds for which `where` holds; `places` are the fields that tell them apart."""

    event: tuple[str, ...]
    where: Where | None
    places: tuple[FieldPath, ...]
    mode: str = "live"

    def find_key(self, event: Event) -> str | None:
        """What tells for which responses this event was expected; None for another event."""
        if find_event_kind(self, event) is None or not (self.where is None or self.where.holds(event.names)):
            return None
        return format_key({place: find_value(event.names, place) for place in self.places})


def read_expected_events(event: tuple[str, ...], where: Mapping[str, Any]) -> ExpectedEvents:
    """The events that these parameters of a gate name, which have no problems."""
    fixed, found = split_where(where)
    bound = bind_where(fixed, event, "where", lambda *_: None) if fixed else None
    return ExpectedEvents(event, bound, tuple(sorted(found)))


def find_where_problems(event: tuple[str, ...], where: Mapping[str, Any]) -> Iterator[PathProblem]:
    """What is wrong in a `where` whose values may be expressions, by path below the gate."""
    fixed, found = split_where(where)
    if not fixed:
        return
    if any(EXPRESSION_START in text for text in find_expression_texts(fixed)):
        yield (
            "where",
            "an expression can only be the value of a field, such as `id: ${run.id}`: move it there",
        )
        return
    problems: list[PathProblem] = []
    bound = bind_where(fixed, event, "where", lambda path, text: problems.append((path, text)))
    yield from problems
    for part in bound.conjuncts() if bound else ():
        if isinstance(part, FieldCondition) and part.keys in found and part.kind not in COMPARABLE:
            name = ".".join(part.keys)
            yield f"where.{name}", f"{name} is a {part.kind}, which is never equal to one value: remove it"


def split_where(
    where: Mapping[str, Any], above: FieldPath = ()
) -> tuple[dict[str, Any], dict[FieldPath, str]]:
    """The `where` with each expression replaced by `present: true`, and the expressions by their fields."""
    fixed: dict[str, Any] = {}
    found: dict[FieldPath, str] = {}
    for key, value in where.items():
        place = (*above, str(key))
        if key in COMBINATORS or (key in operator and above[-1:] not in _OPEN_MAPS):
            fixed[key] = value
        elif isinstance(value, str) and EXPRESSION_START in value:
            fixed[key], found[place] = {"present": True}, value
        elif isinstance(value, Mapping):
            fixed[key], below = split_where(value, place)
            found |= below
        else:
            fixed[key] = value
    return fixed, found


def format_key(values: Mapping[FieldPath, Any]) -> str:
    """One text for the values at these fields; texts are equal without ASCII case."""
    parts = ((*place, fold(insert_text(value))) for place, value in sorted(values.items()))
    return join_parts(*(join_parts(*part) for part in parts))
