"""The JSON Schema of `where`: the normalised names, and the operators on each type of field."""

import inspect
from collections.abc import Mapping
from typing import Any

from mlevents.conditions.condition import operator
from mlevents.matching.where import ANY_EVENT, list_names

Schema = dict[str, Any]

_SCALARS: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "list": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}


def build_where_schemas() -> dict[str, Schema]:
    """The definitions of `Where` and of all that it refers to."""
    names = list_names((ANY_EVENT,))
    definitions = {f"{kind} condition": _condition(kind) for kind in _SCALARS}
    definitions["tags condition"] = _level("tags condition", {}, _refer("text condition"))
    for root, fields in names.items():
        definitions[f"{root} conditions"] = _level(
            f"{root} conditions", {n: _field(k) for n, k in fields.items()}
        )
    roots = {root: _refer(f"{root} conditions") for root in names}
    return {**definitions, "Where": _level("Where", roots)}


def _refer(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name.replace(' ', '%20')}"}


def _field(kind: str) -> Schema:
    return _refer("tags condition" if kind == "texts" else f"{kind} condition")


def _level(name: str, properties: dict[str, Schema], others: Schema | bool = False) -> Schema:
    """A map of names, or of `any`, `all` and `not` over maps like it."""
    return {
        "type": "object",
        "properties": {**properties, **_combined(name)},
        "additionalProperties": others,
        "minProperties": 1,
    }


def _combined(name: str) -> dict[str, Schema]:
    several = {"type": "array", "items": _refer(name), "minItems": 1}
    return {
        "any": {**several, "description": "One of these holds at least."},
        "all": {**several, "description": "All of these hold."},
        "not": {**_refer(name), "description": "This does not hold."},
    }


def _condition(kind: str) -> Schema:
    scalar = _SCALARS[kind]
    operators = {name: {"description": inspect.getdoc(found)} for name, found in operator.items()}
    several: Schema = {
        "type": "array",
        "items": scalar,
        "minItems": 1,
        "description": "Equal to one of these.",
    }
    return {
        "anyOf": [
            {**scalar, "description": "Equal to this."},
            several,
            {
                "type": "object",
                "properties": {**operators, **_combined(f"{kind} condition")},
                "additionalProperties": False,
                "minProperties": 1,
            },
        ]
    }
