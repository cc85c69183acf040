"""Keys that exclude each other: a model declares them once, its validation and the JSON Schema read it.

```python
key_choices = (KeyChoice("template"), KeyChoice("subject", "text"))
```
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import BaseModel, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from mlevents.yamlfile.described_model import DescribedModel


class KeyChoice:
    """One way to write a mapping: the keys that belong together, and those that only this way may have."""

    def __init__(self, *keys: str, optional: tuple[str, ...] = ()) -> None:
        self.keys = keys
        self.optional = optional

    def __str__(self) -> str:
        names = " and ".join(f"'{key}'" for key in self.keys)
        return f"both {names}" if len(self.keys) == 2 else names


class KeyChoiceModel(DescribedModel):
    """The base of a model with keys that exclude each other, its `key_choices`."""

    key_choices: ClassVar[tuple[KeyChoice, ...]] = ()

    @model_validator(mode="after")
    def _choose_keys(self) -> Self:
        check_key_choices(self, self.key_choices)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = super().__get_pydantic_json_schema__(schema, handler)
        if cls.key_choices:
            written = handler.resolve_ref_schema(found)
            divided = divide_schema(written, cls.key_choices)
            written.clear()
            written.update(divided)
        return found


def check_key_choices(model: BaseModel, choices: Sequence[KeyChoice]) -> None:
    """Raise ValueError unless the model has the keys of exactly one choice."""
    if not choices:
        return
    keys = {key for choice in choices for key in _list_keys(choice)}
    written = {name for name in keys if getattr(model, name) is not None}
    begun = [key for choice in choices for key in choice.keys if key in written]
    chosen = [choice for choice in choices if list(choice.keys) == begun]
    if not chosen:
        ways = [str(choice) for choice in choices]
        only = "only " if len(begun) == 1 else ""
        found = f"there is {only}{' and '.join(begun)}" if begun else "there is none of them"
        raise ValueError(f"give {', '.join(ways[:-1])} or {ways[-1]}: {found}")
    for other in choices:
        if misplaced := written.intersection(other.optional) - {*chosen[0].optional}:
            raise ValueError(f"'{min(misplaced)}' belongs to {other}, not to {chosen[0]}: remove it")


def divide_schema(schema: Mapping[str, Any], choices: Sequence[KeyChoice]) -> dict[str, Any]:
    """The JSON Schema of a mapping, with the keys of the choice that is begun, or else of all of them."""
    if not choices:
        return dict(schema)
    kept = {key: value for key, value in schema.items() if key != "additionalProperties"}
    properties = dict(schema["properties"])
    own = {key: properties.pop(key) for choice in choices for key in _list_keys(choice) if key in properties}
    chain: dict[str, Any] = {"properties": own}
    for choice in reversed(choices):
        begun = {"anyOf": [{"required": [key]} for key in choice.keys]}
        fitting = {key: own[key] for key in _list_keys(choice)}
        chain = {"if": begun, "then": {"properties": fitting, "required": [*choice.keys]}, "else": chain}
    return {**kept, "properties": properties, "allOf": [chain], "unevaluatedProperties": False}


def _list_keys(choice: KeyChoice) -> Iterator[str]:
    yield from choice.keys
    yield from choice.optional
