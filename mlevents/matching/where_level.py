"""A position in `where`, and the messages about what is written there."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlevents.conditions.condition import Condition, operator, quote_value, type_of
from mlevents.events import NAMES
from mlevents.registry import did_you_mean

COMBINATORS = ("any", "all", "not")

type FieldNames = Mapping[str, "FieldNames"] | str
"""The names of a level, with those below each; a field's type where there are none."""


@dataclass(frozen=True, slots=True)
class Level:
    """A position in `where`: the keys so far, the names below, the paths for problems and reasons."""

    keys: tuple[str, ...]
    names: FieldNames
    at: str
    path: str

    @property
    def is_field(self) -> bool:
        return isinstance(self.names, str) and self.names != "texts"

    def below(self, key: str) -> "Level | None":
        """The level of a name or tag key; None for a name that does not exist."""
        names = "text" if self.names == "texts" else self.names.get(key)  # type: ignore[union-attr]
        if names is None:
            return None
        return Level((*self.keys, key), names, f"{self.at}.{key}", f"{self.path}.{key}")

    def inside(self, part: str) -> "Level":
        """The same level inside `any`, `all` or `not`; the path of a reason stops at a field."""
        path = self.path if self.is_field else f"{self.path}.{part}"
        return Level(self.keys, self.names, f"{self.at}.{part}", path)


def describe_unknown_key(key: str, level: Level, kinds: tuple[str, ...]) -> str:
    """Why this key cannot be here, and what to write."""
    if key in operator.names():
        return f"'{key}' is an operator: write it below the name of a field"
    elsewhere = [kind for kind in sorted(NAMES) if not level.keys and key in NAMES[kind]]
    if elsewhere:
        return f"'{key}' is not part of {' or '.join(kinds)}: it belongs to {', '.join(elsewhere)}"
    near = did_you_mean(key, [*level.names, *COMBINATORS])
    return f"unknown name '{key}'{near or f': write {describe_content(level)}'}"


def describe_content(level: Level) -> str:
    """What a level may contain, for a message."""
    if level.is_field:
        return "operators"
    return "tag keys" if isinstance(level.names, str) else "names such as " + ", ".join(sorted(level.names))


def describe_misfit(name: str, condition: Condition, operand: object, level: Level) -> str:
    """Why an operator can never hold for a field of this type, and what to write."""
    field, kind = ".".join(level.keys), str(level.names)
    for value in getattr(condition, "values", ()):
        if kind in ("text", "list") and type_of(value) != "text":
            return (
                f'{field} is text, {quote_value(value)} is a {type_of(value)}: write "{quote_value(value)}"'
            )
        if kind in ("number", "boolean") and type_of(value) != kind:
            return f"{field} is a {kind}, {quote_value(value)} is a {type_of(value)}: write {_EXAMPLES[kind]}"
    return f"'{name}' with {quote_value(operand)} can never hold for {field}, which is a {kind}"


_EXAMPLES = {"number": "a number without quotes", "boolean": "true or false without quotes"}
