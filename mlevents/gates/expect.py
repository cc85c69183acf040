"""Act only if another event did not follow in time, or if none came for so long.

```yaml
expect:
  event: run.completed
  where: {run: {id: "${run.id}"}}
  within: 2h
```

A value of `where` may be one expression: it is that of the event that the rule answers. The other event may
be delivered earlier than this one; what counts is when each was published.

In a rule without `event`, `every: 26h` instead of `within` acts when none of the events came for so long.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema

from mlevents.canonical import canonical_event_id, join_parts
from mlevents.duration import PositiveDuration, format_duration, format_utc
from mlevents.events import NAMES, Event
from mlevents.expressions.filters import insert_text
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.gates.arrivals import Arrival, Arrivals
from mlevents.gates.expected_events import (
    ExpectedEvents,
    FieldPath,
    find_where_problems,
    format_key,
    read_expected_events,
    split_where,
)
from mlevents.gates.gate import Gate, Preview, gate
from mlevents.gates.visit import GateVisit, Objection, StateChange, Visiting
from mlevents.matching.match import find_event_kind
from mlevents.matching.where import ANY_EVENT
from mlevents.registry import suggest_names
from mlevents.yamlfile.key_choice import KeyChoice
from mlevents.yamlfile.positions import PathProblem

ARRIVE, FIND, BEGIN = "arrive", "find", "begin"
LATENESS = timedelta(seconds=30)
"""How much later than it was published an event may be delivered, and still count."""


def _kind(kind: str) -> str:
    known = [*sorted(NAMES), ANY_EVENT]
    if kind not in known:
        raise ValueError(f"unknown event '{kind}'{suggest_names(kind, known)}")
    return kind


_KINDS = {"enum": [*sorted(NAMES), ANY_EVENT]}


@gate("expect")
class Expect(Gate):
    """Act only if another event did not follow in time, or if none came for so long."""

    position = 110
    stage = "response"
    key_choices = (KeyChoice("within"), KeyChoice("every"))

    event: Annotated[
        tuple[Annotated[str, AfterValidator(_kind)], ...],
        Field(min_length=1, strict=False),
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
        WithJsonSchema({"anyOf": [_KINDS, {"type": "array", "items": _KINDS, "minItems": 1}]}),
    ]
    """name the events that should follow: one, a list, or "*"."""
    where: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it
    """The conditions on these events; a value such as `${run.id}` is that of the rule's own event."""
    within: PositiveDuration | None = None
    """How soon one of them should follow, from the time of the rule's own event."""
    every: PositiveDuration | None = None
    """How often one of them should come, in a rule without `event`."""

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:  # noqa: ARG003
        try:
            own = cls.model_validate(written)
        except ValidationError:
            return  # reported where the form is checked
        yield from find_where_problems(own.event, own.where)
        if own.every and any(split_where(own.where)[1]):
            yield (
                "where",
                "`every` has no other event that gives a value: write the value out",
            )

    @property
    def seconds(self) -> float:
        """How long it waits: `within`, or `every`."""
        return self.within or self.every or 0.0

    @cached_property
    def expected_events(self) -> ExpectedEvents:
        return read_expected_events(self.event, self.where)

    def fill(self, names: Mapping[str, Any]) -> Any:
        """The parameters; of `where`, only the values that are those of the event."""
        _, found = split_where(self.where)
        where: dict[str, Any] = {}
        for place, written in found.items():
            below = where
            for key in place[:-1]:
                below = below.setdefault(key, {})
            below[place[-1]] = render_value(written, names)
        return {**self.model_dump(mode="json", exclude_none=True), "where": where}

    def preview(self, event: Event, now: datetime) -> Preview:  # noqa: ARG002 - the time changes nothing
        try:
            said = self._describe(self.fill(event.names)["where"])
        except ExpressionError as error:
            return False, f": {error}: the response fails before its first step"
        return None, f": acts if no {said} comes within {format_duration(self.seconds)}"

    def describe_occasion(self) -> str:
        return f"no {' or '.join(self.event)} came for {format_duration(self.seconds)}"

    def admit(self, visit: GateVisit, /) -> Visiting[Objection | None]:
        if self.every:
            visit.record(self.describe_occasion())
            return None
        since = datetime.fromisoformat(visit.event.time) if visit.event.time else visit.now
        until, said = since + timedelta(seconds=self.seconds), self._describe(self.where)
        if visit.now < until + LATENESS:
            yield from visit.wait(until + LATENESS, f"for {said} until {format_utc(until)}")
        key = join_parts(visit.workspace, format_key(dict(_list_values(self.where))))
        asked = {"since": since.isoformat(), "until": until.isoformat()}
        answer = yield from visit.change_state(
            key, FIND, {**asked, "besides": canonical_event_id(visit.event.id)}
        )
        if answer:
            came = format_utc(answer["time"])
            return Objection(f"{answer['kind']}{self._describe_values(self.where)} came at {came}")
        visit.record(f"no {said} came until {format_utc(until)}")
        return None

    def _describe(self, where: Mapping[str, Any]) -> str:
        return " or ".join(self.event) + self._describe_values(where)

    def _describe_values(self, where: Mapping[str, Any]) -> str:
        values = [insert_text(value)[:100] for _, value in _list_values(where)]
        return f" of {', '.join(values)}" if values else ""

    @classmethod
    def change_state(
        cls, state: Mapping[str, Any] | None, operation: str, document: Mapping[str, Any], /
    ) -> StateChange:
        """`arrive` records an event, `begin` that a timer looks; `find` gives one, and changes nothing."""
        if operation == FIND:
            return _find(state, document)
        seconds = document["seconds"]
        known = replace(Arrivals.from_json(state), seconds=seconds) if state else Arrivals(seconds)
        if operation == BEGIN:
            known = known.begin(document["time"])
        else:
            known = known.add(Arrival(document["time"], document["id"], document["kind"]))
        return StateChange(known.to_json(), {}, known.expires)


def _find(state: Mapping[str, Any] | None, document: Mapping[str, Any]) -> StateChange:
    if state is None:
        return StateChange(None, {})
    known = Arrivals.from_json(state)
    since, until = (datetime.fromisoformat(document[name]) for name in ("since", "until"))
    found = known.find(since, until, document["besides"])
    answer = {"time": found.time, "kind": found.kind} if found else {}
    return StateChange(state, answer, known.expires)


def describe_arrival(event: Event, own: Expect, now: datetime) -> dict[str, Any]:
    """The document with which the arrival of an event is recorded; `now` is for an event without a time."""
    moment = min(datetime.fromisoformat(event.time), now) if event.time else now
    return {
        "time": moment.astimezone(UTC).isoformat(),
        "id": canonical_event_id(event.id),
        "kind": find_event_kind(own.expected_events, event) or event.type,
        "seconds": own.seconds,
    }


def _list_values(where: Mapping[str, Any], above: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """The values of a filled `where` by their fields."""
    for key, value in sorted(where.items()):
        if isinstance(value, Mapping):
            yield from _list_values(value, (*above, key))
        else:
            yield (*above, key), value
