"""What an event type is: the kind that rules ask for, and where its normalised names come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from mlevents.events.content import Content
from mlevents.registry import Registry

FieldType = Literal["text", "number", "boolean", "texts", "list"]


@dataclass(frozen=True, slots=True)
class Items:
    """The type of a list of maps: the fields that an item may have, with their types and what they mean."""

    fields: Mapping[str, Literal["text", "number", "boolean"]]
    descriptions: Mapping[str, str] = field(default_factory=dict)


type NameType = FieldType | Items | Mapping[str, FieldType]
"""The type of a name; a mapping has names below, with their types."""


@dataclass(frozen=True, slots=True)
class Field:
    """One normalised name: its type, and how it is read; `read` gives None for what is absent.

    `texts` is an open map of text to text, `list` a list of texts. `member` is the member of `data` that
    carries it, None for a computed value. `filterable` says that the value comes from this member alone (no
    subject, no default, no second member), so a subscription filter may ask for it. `in_subject` is the text
    before and after the name in the subject, where the subject is documented to agree with `data`.
    `description` says to people who write rules what the value means; `below` says it of the names below.
    `separator` is between the items of a list that is one text on the wire; empty for a JSON array.
    """

    type: NameType
    read: Callable[[Content], Any]
    member: str | None = None
    filterable: bool = False
    in_subject: tuple[str, str] | None = None
    description: str = ""
    below: Mapping[str, str] = field(default_factory=dict)
    separator: str = ""


type Fields = Mapping[str, Mapping[str, Field]]


def text(*keys: str, subject: tuple[str, ...] = (), description: str = "") -> Field:
    """The first of these members of `data` that has a value, else a part of the subject."""
    alone, first = len(keys) == 1 and not subject, keys[0].lower()

    def read(content: Content) -> str | None:
        said = content.members.get(first)
        if said and isinstance(said, str):
            return said
        return None if said is None and alone else content.text(*keys, subject=subject)

    return Field("text", read, keys[0], alone, description=description)


def number(key: str, description: str = "") -> Field:
    """A number, or text that is one; absent when it cannot be read."""
    return Field("number", lambda content: content.number(key), key, filterable=True, description=description)


def texts(key: str, description: str = "") -> Field:
    """A map of tags or properties, empty when the event has none."""
    return Field("texts", lambda content: content.texts(key), key, filterable=True, description=description)


class Derived(NamedTuple):
    """Another kind of the same event, where `holds` says so; it adds its names.

    `write` gives, from these names, the members of `data` that make an event this kind. `sign` is the key on
    the wire that every event of this kind has, such as `data.runTags.x`; None when there is no such key.
    """

    kind: str
    holds: Callable[[Content], bool]
    fields: Fields
    write: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    sign: str | None = None


class EventType:
    """One type of event, registered under the type on the wire; its module shows an example.

    `kind` is the name in rules. `function` is the name of the Azure function that takes these events, the
    last word of the type on the wire when left out. Events that are not `from_azure` are those of mlevents
    itself: Event Grid delivers none, and no function takes them. `about` is the root and field
    without which the event cannot be understood. `fields` are the normalised names by root; `derived` is what
    else the event can be. `subject` is its form, with normalised names in braces.
    """

    kind: ClassVar[str]
    function: ClassVar[str] = ""
    from_azure: ClassVar[bool] = True
    subject: ClassVar[str]
    about: ClassVar[tuple[str, str]]
    fields: ClassVar[Fields]
    derived: ClassVar[tuple[Derived, ...]] = ()

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Every kind that events of this type can be, their own first."""
        return (cls.kind, *(other.kind for other in cls.derived))

    @classmethod
    def all_fields(cls) -> dict[str, Mapping[str, Field]]:
        """The names that events of this type can have, by root; `event` and `workspace` come besides."""
        fields = dict(cls.fields)
        for other in cls.derived:
            fields |= other.fields
        return fields


event_type = Registry[type[EventType]]("event type", "mlevents.events", EventType)
