"""The parts of a JSON Schema, each with its path."""

from collections.abc import Iterator

from mlevents.schema.model_schema import Schema

_BY_NAME = ("properties", "patternProperties", "$defs")
_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "propertyNames")
_SEVERAL = ("anyOf", "oneOf", "allOf")


def list_schemas(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """The schema and all that are in it."""
    yield path, schema
    for key in _BY_NAME:
        for name, member in schema.get(key, {}).items():
            yield from list_schemas(member, f"{path}/{key}/{name}")
    for key in _ONE:
        if isinstance(schema.get(key), dict):
            yield from list_schemas(schema[key], f"{path}/{key}")
    for key in _SEVERAL:
        for index, member in enumerate(schema.get(key, ())):
            yield from list_schemas(member, f"{path}/{key}/{index}")


def list_properties(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The schema of each key that a file may have."""
    for path, member in list_schemas(schema):
        for name, value in member.get("properties", {}).items():
            yield f"{path}/{name}", value
