"""Checks JSON against the schemas in `schemas/`, and says what is wrong in one sentence each.

A property that is null counts as left out, and unknown properties of a resource are ignored: Azure's own
readers do both.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from referencing import Registry, Resource

SCHEMA_FOLDER = Path(__file__).with_name("schemas")
TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
}
KINDS = {dict: "an object", list: "an array", str: "a text", bool: "a truth value", type(None): "null"}


def find_problems(schema: str, value: Any) -> list[str]:
    """Every problem of a value by the schema of this name; each names the property's path."""
    errors = _validator(schema).iter_errors(_without_nulls(value))
    return list(dict.fromkeys(text for error in errors for text in _describe(error)))


def parse_json(text: bytes) -> Any:
    """The value in a JSON text; raises ValueError, also for NaN and Infinity, which are not JSON."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a JSON value: give a number")

    return json.loads(text, parse_constant=refuse)


@cache
def _registry() -> Registry[Any]:
    files = sorted(SCHEMA_FOLDER.glob("*.json"))
    contents = ((file.name, json.loads(file.read_text(encoding="utf-8"))) for file in files)
    return Registry().with_resources((name, Resource.from_contents(content)) for name, content in contents)


@cache
def _validator(schema: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"{schema}.json"}, registry=_registry())


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _describe(error: ValidationError) -> Iterable[str]:
    path = ""
    for part in error.absolute_path:
        path = f"{path}[{part}]" if isinstance(part, int) else _join(path, part)
    if "propertyNames" in error.absolute_schema_path:
        return [f"the name '{error.instance}' in '{path}' is too long or has an invalid character"]
    describe = DESCRIPTIONS.get(str(error.validator))
    return describe(path, error) if describe else [f"'{path}': {error.message}"]


def _describe_required(path: str, error: Any) -> list[str]:
    missing = [name for name in error.validator_value if name not in error.instance]
    return [f"'{_join(path, name)}' is required" for name in missing]


def _describe_type(path: str, error: Any) -> list[str]:
    if error.validator_value == "number":
        return _describe_range(path, error)
    wanted = TYPES.get(str(error.validator_value), "a single value")
    subject = f"'{path}'" if path else "the body"
    return [f"{subject} must be {wanted}, not {KINDS.get(type(error.instance), 'a number')}"]


def _describe_range(path: str, error: Any) -> list[str]:
    least, most = error.schema["minimum"], error.schema.get("maximum")
    if error.schema["type"] == "integer":
        wanted = f"{least} or more" if most is None else f"{least} to {most}"
    else:
        wanted = f"a number from {least}" + ("" if most is None else f" to {most}")
    return [f"'{path}' is {error.instance!r}: give {wanted}"]


def _describe_unknown(_path: str, error: Any) -> list[str]:
    known = error.schema["properties"]
    unknown = [name for name in error.instance if name not in known]
    return [f"unknown property '{name}': give {', '.join(sorted(known))}" for name in unknown]


DESCRIPTIONS: Mapping[str, Callable[[str, Any], list[str]]] = {
    "required": _describe_required,
    "type": _describe_type,
    "enum": lambda path, error: [
        f"'{path}' is {error.instance!r}: allowed values are {', '.join(error.validator_value)}"
    ],
    "pattern": lambda path, error: [
        f"'{path}' is '{error.instance}', which does not match the pattern '{error.validator_value}'"
    ],
    "minimum": _describe_range,
    "maximum": _describe_range,
    "additionalProperties": _describe_unknown,
    "maxProperties": lambda path, error: [
        f"'{path}' has {len(error.instance)} entries: the limit is {error.validator_value}"
    ],
    "maxLength": lambda path, error: [
        f"'{path}' has {len(error.instance)} characters: the limit is {error.validator_value}"
    ],
}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
