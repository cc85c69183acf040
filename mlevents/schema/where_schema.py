"""The JSON Schema of `where`: the normalised names of a rule's events, and the operators on each field."""

import inspect
from collections.abc import Iterable, Mapping

from mlevents.conditions.condition import operator
from mlevents.events.event_type import Items, NameType
from mlevents.events.field_descriptions import ROOT_DESCRIPTIONS, describe_fields
from mlevents.events.known_values import KNOWN_VALUES
from mlevents.matching.where import ANY_EVENT, list_names
from mlevents.schema.event_kinds import Kinds
from mlevents.schema.model_schema import Schema, refer_to

SCALARS: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "list": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}
_ITEM_CONDITIONS = {"list": "text condition"}
"""The condition on one item of a list."""


def build_where_schemas(variants: Iterable[Kinds]) -> dict[str, Schema]:
    """The definitions of each of these variants of `where`, and of all that they refer to."""
    definitions = {f"{kind} condition": _describe_condition(kind, scalar) for kind, scalar in SCALARS.items()}
    definitions["tags condition"] = _describe_level("tags condition", {}, refer_to("text condition"))
    for keys in KNOWN_VALUES:
        name = ".".join(keys)
        definitions[f"{name} condition"] = _describe_condition("text", describe_known_text(keys), name)
    for variant in variants:
        roots = {}
        for root, fields in variant.names.items():
            name = _name_conditions(root, fields, variant)
            definitions |= _describe_names(name, (root,), fields)
            roots[root] = _describe_reference(name, ROOT_DESCRIPTIONS.get(root))
        definitions[variant.title] = _describe_level(variant.title, roots)
    return definitions


def describe_known_text(keys: tuple[str, ...]) -> Schema:
    """The schema of a text field: its known values are offered, and of a closed set no other is valid.

    Values compare without case, so a closed set is a pattern as well.
    """
    known = KNOWN_VALUES.get(keys)
    if known is None:
        return {"type": "string"}
    other: Schema = {"type": "string"}
    if known.is_closed:
        either = "|".join("".join(f"[{c.lower()}{c.upper()}]" for c in value) for value in known.values)
        other["pattern"] = f"^({either})$"
    return {"anyOf": [{"type": "string", "enum": list(known.values)}, other]}


def _name_conditions(root: str, fields: Mapping[str, NameType], variant: Kinds) -> str:
    """The definition of the conditions on a root, whose fields may differ between the events."""
    every = list_names((ANY_EVENT,))[root]
    return f"{root} conditions" if fields == every else f"{root} conditions of {' '.join(variant.kinds)}"


def _describe_names(name: str, above: tuple[str, ...], fields: Mapping[str, NameType]) -> dict[str, Schema]:
    """The definitions for the names below a root, or below a name."""
    about = describe_fields()
    conditions = {
        field: _describe_reference(_condition_of((*above, field), kind), about.get((*above, field)))
        for field, kind in fields.items()
    }
    definitions = {name: _describe_level(name, conditions)}
    for field, kind in fields.items():
        if isinstance(kind, Items):
            definitions |= _describe_items(field, kind)
        elif isinstance(kind, Mapping):
            definitions |= _describe_names(_condition_of((*above, field), kind), (*above, field), kind)
    return definitions


def _condition_of(keys: tuple[str, ...], kind: NameType) -> str:
    """The name of the definition of conditions on a field."""
    if isinstance(kind, Items):
        return f"{keys[-1]} condition"
    if isinstance(kind, Mapping):
        return f"{'.'.join(keys)} conditions"
    if keys in KNOWN_VALUES:
        return f"{'.'.join(keys)} condition"
    return "tags condition" if kind == "texts" else f"{kind} condition"


def _describe_reference(name: str, about: str | None) -> Schema:
    return {**refer_to(name), **({"description": about} if about else {})}


def _describe_level(name: str, properties: Mapping[str, Schema], others: Schema | bool = False) -> Schema:
    """A map of names, or of `any`, `all` and `not` over maps like it."""
    return {
        "type": "object",
        "properties": {**properties, **_combine(name)},
        "additionalProperties": others,
        "minProperties": 1,
    }


def _describe_items(name: str, kind: Items) -> dict[str, Schema]:
    """The definitions for a list of maps: the condition on the list, and that on one item."""
    operators = {one: _describe_operator(one, {}) for one in ("present", "absent")}
    condition = _describe_operators(operators, f"{name} condition", f"{name} item")
    fields = {
        field: _describe_reference(_condition_of((field,), type_), kind.descriptions.get(field))
        for field, type_ in kind.fields.items()
    }
    return {f"{name} condition": condition, f"{name} item": _describe_level(f"{name} item", fields)}


def _describe_operators(operators: Mapping[str, Schema], name: str, item: str | None) -> Schema:
    properties = {**operators, **_combine(name, item)}
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }


def _describe_operator(name: str, value: Schema) -> Schema:
    found = operator.find(name)
    return {**found.describe_operand(value), "description": inspect.getdoc(found)}


def _combine(name: str, item: str | None = None) -> dict[str, Schema]:
    """`any`, `all` and `not` over the conditions of this name; at a list also over those of one item."""
    several: Schema = {"type": "array", "items": refer_to(name), "minItems": 1}
    one, each = "One of these holds at least.", "All of these hold."
    if item:
        several = {"anyOf": [refer_to(item), several]}
        one, each = f"{one} A map: one of the items is so.", f"{each} A map: each of the items is so."
    return {
        "any": {**several, "description": one},
        "all": {**several, "description": each},
        "not": {**refer_to(name), "description": "This does not hold."},
    }


def _describe_condition(kind: str, scalar: Schema, field: str = "") -> Schema:
    """A value, a list of values, or operators that can hold on a field of this type."""
    fitting = [name for name, found in operator.items() if kind in found.fits]
    operators = {name: _describe_operator(name, scalar) for name in fitting}
    several = {"type": "array", "items": scalar, "minItems": 1}
    own = f"{field or kind} condition"
    arms = scalar.get("anyOf", [scalar])
    # The map is first: the language server explains what is wrong with the first that fits equally well.
    return {"anyOf": [_describe_operators(operators, own, _ITEM_CONDITIONS.get(kind)), *arms, several]}
