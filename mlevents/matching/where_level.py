"""A position in `where` while it is bound: what may be written there, and what messages say of it."""

from collections.abc import Mapping
from typing import NamedTuple

from mlevents.conditions.condition import Condition, quote_value, type_of
from mlevents.events.event_type import Items, NameType
from mlevents.matching.condition_tree import MAPPINGS

type FieldNames = Mapping[str, "FieldNames"] | NameType
"""The names of a level, with those below each; a field's type where there are none."""


class WhereLevel(NamedTuple):
    """A position in `where`: the keys so far, the names below, the paths for problems and reasons."""

    keys: tuple[str, ...]
    names: FieldNames
    at: str
    path: str

    @property
    def is_field(self) -> bool:
        return not isinstance(self.names, MAPPINGS) and self.names != "texts"

    @property
    def below_names(self) -> list[str]:
        """The names that may be written here; none at a field, or where the keys are those of the event."""
        return sorted(self.names) if isinstance(self.names, Mapping) else []

    @property
    def is_root(self) -> bool:
        """Whether it is the level of the whole event; an item of a list has no keys either."""
        return isinstance(self.names, Mapping) and "event" in self.names

    @property
    def kind(self) -> str:
        """The type of a field."""
        return "items" if isinstance(self.names, Items) else str(self.names)

    @property
    def field(self) -> str:
        """The field's name in messages."""
        return ".".join(self.keys) or "an item"

    def below(self, key: str) -> "WhereLevel | None":
        """The level of a name or tag key; None for a name that does not exist."""
        names = "text" if self.names == "texts" else self.names.get(key)  # type: ignore[union-attr]
        if names is None:
            return None
        return WhereLevel((*self.keys, key), names, f"{self.at}.{key}", f"{self.path}.{key}")

    def item(self, part: str) -> "WhereLevel | None":
        """The level of one item of a list, with keys of its own; None for a field that is not a list."""
        if not isinstance(self.names, Items) and self.names != "list":
            return None
        names: FieldNames = self.names.fields if isinstance(self.names, Items) else "text"
        return WhereLevel((), names, f"{self.at}.{part}", f"{self.path}.{part}")

    def inside(self, part: str) -> "WhereLevel":
        """The same level inside `any`, `all` or `not`; the path of a reason stops at a field."""
        path = self.path if self.is_field else f"{self.path}.{part}"
        return WhereLevel(self.keys, self.names, f"{self.at}.{part}", path)


def describe_content(level: WhereLevel) -> str:
    """What a level may contain, for a message."""
    if isinstance(level.names, Items):
        return "`any` or `all` with a map"
    if level.is_field:
        return "operators"
    return "tag keys" if isinstance(level.names, str) else "names such as " + ", ".join(sorted(level.names))


def explain_misfit(name: str, condition: Condition, operand: object, level: WhereLevel) -> str:
    """Why an operator can never hold for a field of this type, and what to write."""
    field, kind = level.field, level.kind
    if isinstance(level.names, Items):
        return describe_items(level, level.names)
    for value in getattr(condition, "values", ()):
        if kind in ("text", "list") and type_of(value) != "text":
            return (
                f'{field} is text, {quote_value(value)} is a {type_of(value)}: write "{quote_value(value)}"'
            )
        if kind in ("number", "boolean") and type_of(value) != kind:
            return f"{field} is a {kind}, {quote_value(value)} is a {type_of(value)}: write {_EXAMPLES[kind]}"
    return f"'{name}' with {quote_value(operand)} can never hold for {field}, which is a {kind}"


def describe_items(level: WhereLevel, items: Items) -> str:
    """What to write for a list of maps."""
    return (
        f"{level.field} is a list of items with {', '.join(items.fields)}: write `any: {{…}}` for conditions "
        "on one item, or `all: {…}` for conditions on each"
    )


_EXAMPLES = {"number": "a number without quotes", "boolean": "true or false without quotes"}
