"""A gate whose state belongs to a key: one text, with values of the event."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.expressions.name_check import find_container_type
from mlevents.gates.gate import Gate, Preview
from mlevents.yamlfile.positions import PathProblem

KEY_REMEDY = "name one value, such as ${model.name}, or write several into one text"
TAKE, GIVE_BACK = "take", "give_back"
"""Operations on the state of a gate that lets some act: a response takes a place, or gives it back."""


class KeyedGate(Gate):
    """A gate with a `key`; a number or a boolean in it becomes its text."""

    key: str

    @classmethod
    def check(cls, written: object, names: Mapping[str, Any]) -> Iterator[PathProblem]:
        key = written.get("key") if isinstance(written, dict) else None
        if kind := find_container_type(key, names):
            yield "key", f"{key} is a {kind}: {KEY_REMEDY}"

    def fill(self, names: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().fill(names), "key": fill_key(self.key, names)}

    def describe_limit(self) -> str:
        """What `explain` says of this gate after its key."""
        return "checked when the response runs"

    def preview(self, event: Event, now: datetime) -> Preview:  # noqa: ARG002 - the state is not known here
        try:
            key = fill_key(self.key, event.names)
        except ExpressionError as error:
            written = json.dumps(self.key, ensure_ascii=False)
            return False, f" {written}: {error}: the response fails before its first step"
        return None, f" {json.dumps(key, ensure_ascii=False)}: {self.describe_limit()}"


def fill_key(written: str, names: Mapping[str, Any]) -> str:
    """The key with the values of an event; raises ExpressionError for a missing value, a map or a list."""
    value = render_value(written, names)
    if isinstance(value, dict | list):
        raise ExpressionError(f"{written} is a {'map' if isinstance(value, dict) else 'list'}: {KEY_REMEDY}")
    return value if isinstance(value, str) else json.dumps(value)
