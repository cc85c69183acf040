"""The keys on the wire that a subscription filter may ask for.

The event types declare them: see `Field.filterable`, `Field.in_subject` and `Derived.sign`. Tests compare
this with `parse`.
"""

from collections.abc import Mapping

from mlevents.events.event_type import EventType


def filter_keys(known: type[EventType]) -> Mapping[str, str]:
    """The key that holds a name, by the name with its root, for the names that may be filtered on."""
    return {
        f"{root}.{name}": f"data.{field.member}"
        for root, fields in known.fields.items()
        for name, field in fields.items()
        if field.filterable
    }


def subject_parts(known: type[EventType]) -> Mapping[str, tuple[str, str]]:
    """The text before and after a name in the subject, by the name with its root."""
    return {
        f"{root}.{name}": field.in_subject
        for root, fields in known.fields.items()
        for name, field in fields.items()
        if field.in_subject
    }


def sign_of(known: type[EventType], kinds: tuple[str, ...]) -> str | None:
    """The key that every event of this type has when it is one of these derived kinds; None when unknown."""
    signs = {other.sign for other in known.derived if other.kind in kinds}
    return signs.pop() if len(signs) == 1 else None
