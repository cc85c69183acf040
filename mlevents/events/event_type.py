"""What an event type is: the kind that rules ask for, and where its normalised names come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from mlevents.events.content import Content
from mlevents.registry import Registry

FieldType = Literal["text", "number", "boolean", "texts", "list"]


@dataclass(frozen=True, slots=True)
class Field:
    """One normalised name: its type, and how it is read; `read` gives None for what is absent.

    `texts` is an open map of text to text. `member` is the member of `data` that carries it, None for
    what is worked out.
    """

    type: FieldType
    read: Callable[[Content], Any]
    member: str | None = None


type Fields = Mapping[str, Mapping[str, Field]]


def text(*keys: str, subject: tuple[str, ...] = ()) -> Field:
    """The first of these members of `data` that says something, else a part of the subject."""
    return Field("text", lambda content: content.text(*keys, subject=subject), keys[0])


def texts(key: str) -> Field:
    """A map of tags or properties, empty when the event has none."""
    return Field("texts", lambda content: content.texts(key), key)


class Derived(NamedTuple):
    """Another kind that the same event is as well, when `holds`; it adds names of its own.

    `write` gives, from these names, the members of `data` that make an event this kind.
    """

    kind: str
    holds: Callable[[Content], bool]
    fields: Fields
    write: Callable[[Mapping[str, Any]], Mapping[str, Any]]


class EventType:
    """One type of event, registered under the type on the wire; its module shows an example.

    `about` is the root and field without which nobody can say what the event is about; `fields` are
    the normalised names by root; `derived` is what else the event can be. `subject` is its form, with
    normalised names in braces.
    """

    kind: ClassVar[str]
    subject: ClassVar[str]
    about: ClassVar[tuple[str, str]]
    fields: ClassVar[Fields]
    derived: ClassVar[tuple[Derived, ...]] = ()


event_type = Registry[type[EventType]]("event type", "mlevents.events")
