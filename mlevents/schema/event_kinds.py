"""Which names a rule can use follows from its events: each set of events with names of its own is a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mlevents.events import NAMES
from mlevents.events.event_type import NameType
from mlevents.matching.where import ANY_EVENT, list_names
from mlevents.schema.model_schema import Schema

type FieldsByRoot = Mapping[str, Mapping[str, NameType]]

MOST_CASES = 64
"""More sets of events than anyone combines; beyond them a rule may use every name."""


@dataclass(frozen=True)
class Kinds:
    """A set of events, as large as it can be without more names."""

    kinds: tuple[str, ...]

    @cached_property
    def names(self) -> FieldsByRoot:
        """The names that these events can have, by root."""
        return list_names(self.kinds)

    @property
    def title(self) -> str:
        """The name of the definition of `where` for these events."""
        return "where" if self.kinds == (ANY_EVENT,) else f"where {' '.join(self.kinds)}"

    @property
    def condition(self) -> Schema:
        """The schema of a rule that asks for some of these events and for no other."""
        known = {"enum": list(self.kinds)}
        event = {"anyOf": [known, {"type": "array", "items": known}], "description": "Events of one kind."}
        return {"properties": {"event": event}, "required": ["event"]}


EVERY_KIND = Kinds((ANY_EVENT,))


def list_cases() -> list[Kinds]:
    """The sets of events whose names differ, each before those that contain it; every event is not one."""
    own = {kind: _paths(list_names((kind,))) for kind in sorted(NAMES)}
    every = frozenset().union(*own.values())
    found: set[frozenset[str]] = set()
    for paths in own.values():
        found |= {paths, *(paths | other for other in found)}
        if len(found) > MOST_CASES:
            found = set(own.values())
            break
    cases = sorted(found - {every}, key=lambda paths: (len(paths), sorted(paths)))
    return [Kinds(tuple(kind for kind in own if own[kind] <= paths)) for paths in cases]


def _paths(names: FieldsByRoot) -> frozenset[str]:
    return frozenset(f"{root}.{field}" for root, fields in names.items() for field in fields)
