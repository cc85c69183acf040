"""The JSON Schema of `where`: the normalised names, and the operators on each type of field."""

import inspect
from collections.abc import Mapping
from typing import Any

from mlevents.conditions.condition import operator
from mlevents.events.event_type import Items, NameType
from mlevents.matching.where import ANY_EVENT, list_names

Schema = dict[str, Any]

_SCALARS: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "list": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}


_ITEMS = {"list": "text condition"}
"""The condition on one item of a list."""


def build_where_schemas() -> dict[str, Schema]:
    """The definitions of `Where` and of all that it refers to."""
    names = list_names((ANY_EVENT,))
    definitions = {f"{kind} condition": _condition(kind) for kind in _SCALARS}
    definitions["tags condition"] = _level("tags condition", {}, _refer("text condition"))
    for root, fields in names.items():
        definitions[f"{root} conditions"] = _level(
            f"{root} conditions", {n: _field(n, k) for n, k in fields.items()}
        )
        definitions |= {n: m for name, kind in fields.items() for n, m in _items(name, kind).items()}
    roots = {root: _refer(f"{root} conditions") for root in names}
    return {**definitions, "Where": _level("Where", roots)}


def _refer(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name.replace(' ', '%20')}"}


def _field(name: str, kind: NameType) -> Schema:
    if isinstance(kind, Items):
        return _refer(f"{name} condition")
    return _refer("tags condition" if kind == "texts" else f"{kind} condition")


def _level(name: str, properties: dict[str, Schema], others: Schema | bool = False) -> Schema:
    """A map of names, or of `any`, `all` and `not` over maps like it."""
    return {
        "type": "object",
        "properties": {**properties, **_combined(name)},
        "additionalProperties": others,
        "minProperties": 1,
    }


def _items(name: str, kind: NameType) -> dict[str, Schema]:
    """The definitions for a list of maps: the condition on the list, and that on one item."""
    if not isinstance(kind, Items):
        return {}
    operators = {one: _operator(operator.find(one)) for one in ("present", "absent")}
    condition: Schema = {
        "type": "object",
        "properties": {**operators, **_combined(f"{name} condition", f"{name} item")},
        "additionalProperties": False,
        "minProperties": 1,
    }
    fields = {field: _field(field, type_) for field, type_ in kind.fields.items()}
    return {f"{name} condition": condition, f"{name} item": _level(f"{name} item", fields)}


def _operator(found: type) -> Schema:
    return {"description": inspect.getdoc(found)}


def _combined(name: str, item: str | None = None) -> dict[str, Schema]:
    """`any`, `all` and `not` over the conditions of this name; at a list also over those of one item."""
    several: Schema = {"type": "array", "items": _refer(name), "minItems": 1}
    one, each = "One of these holds at least.", "All of these hold."
    if item:
        several = {"anyOf": [_refer(item), several]}
        one, each = f"{one} A map: one of the items is so.", f"{each} A map: each of the items is so."
    return {
        "any": {**several, "description": one},
        "all": {**several, "description": each},
        "not": {**_refer(name), "description": "This does not hold."},
    }


def _condition(kind: str) -> Schema:
    scalar = _SCALARS[kind]
    operators = {name: _operator(found) for name, found in operator.items()}
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
                "properties": {**operators, **_combined(f"{kind} condition", _ITEMS.get(kind))},
                "additionalProperties": False,
                "minProperties": 1,
            },
        ]
    }
