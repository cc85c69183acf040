"""An event as Azure would send it, from its normalised names: for the tests of a rule file.

The other way round from `parse`, which then works out anew what no member carries.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.events.content import Content, folded
from mlevents.events.event_type import Derived, EventType, Fields, event_type

_NAME = re.compile(r"\{(\w+)\.(\w+)\}")


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which an event of a kind is sent: by its own type, or derived from another."""

    wire_type: str
    type: type[EventType]
    derived: Derived | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """What rules may ask for to get an event of this form."""
        return (self.type.kind, self.derived.kind) if self.derived else (self.type.kind,)

    @property
    def fields(self) -> Fields:
        """The normalised names that it can have, by root; `event` and `workspace` come besides."""
        return {**self.type.fields, **(self.derived.fields if self.derived else {})}

    def document(self, names: Mapping[str, Any], topic: str) -> dict[str, Any]:
        """The event in Event Grid's schema; `event` in the names fills the envelope."""
        own: Mapping[str, Any] = names.get("event") or {}
        members = self._members(names)
        envelope = {
            "id": own.get("id"),
            "topic": topic,
            "subject": own.get("subject") or self._subject(Content(folded(members), "")),
            "eventType": self.wire_type,
            "eventTime": own.get("time"),
            "data": members,
        }
        return {key: value for key, value in envelope.items() if value is not None}

    def _subject(self, content: Content) -> str:
        fields = self.type.fields
        return _NAME.sub(lambda name: fields[name[1]][name[2]].read(content) or "", self.type.subject)

    def _members(self, names: Mapping[str, Any]) -> dict[str, Any]:
        written = dict(_written(self.type.fields, names))
        if self.derived is None:
            return written
        [root] = self.derived.fields
        for member, value in self.derived.write(names.get(root) or {}).items():
            own = written.get(member)
            written[member] = {**value, **(own or {})} if isinstance(value, dict) else own or value
        return written


def forms(kind: str | None = None) -> list[Form]:
    """Every form of the events of one kind, or of all: first those that are of no other kind as well."""
    plain = [Form(wire_type, known) for wire_type, known in event_type.items()]
    derived = [Form(form.wire_type, form.type, other) for form in plain for other in form.type.derived]
    return [form for form in [*plain, *derived] if kind is None or kind in form.kinds]


def _written(fields: Fields, names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for root, known in fields.items():
        for name, field in known.items():
            value = (names.get(root) or {}).get(name)
            if value is not None and field.member:
                yield field.member, field.separator.join(value) if field.separator else value
