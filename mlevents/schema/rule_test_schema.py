"""The JSON Schema of a test in the rule file: the event it gives, and what it expects."""

from collections.abc import Mapping

from mlevents.events import NAMES
from mlevents.events.event_type import Items, NameType
from mlevents.events.field_descriptions import ROOT_DESCRIPTIONS, describe_events, describe_fields
from mlevents.rule_tests.expectations import list_other_stop_paths
from mlevents.rule_tests.name_check import WORKSPACE_KEY
from mlevents.schema.model_schema import Schema
from mlevents.schema.where_schema import describe_known_text

_TYPES: dict[str, Schema] = {
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "texts": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
}
_RULE: Schema = {"type": "string", "description": "The id of a rule."}
_RULES: Schema = {"type": "array", "items": _RULE}


def build_rule_test_schemas() -> dict[str, Schema]:
    """The definitions of `given` and `expect`."""
    about = describe_events()
    kinds = {kind: _describe(_object(_roots(kind)), about.get(kind)) for kind in sorted(NAMES)}
    given = _object(kinds) | {"allOf": [{"minProperties": 1, "maxProperties": 1}]}
    expect = {"anyOf": [_RULE, {**_RULES, "minItems": 1}, _expected()]}
    return {"test given": given, "test expect": expect}


def _describe(schema: Schema, about: str | None) -> Schema:
    return {**schema, "description": about} if about else schema


def _roots(kind: str) -> dict[str, Schema]:
    fields = {
        root: _describe(_object(_fields(root, names)), ROOT_DESCRIPTIONS.get(root))
        for root, names in NAMES[kind].items()
    }
    named: Schema = {
        "type": "string",
        "description": "The name of one of `workspaces`; the first when left out.",
    }
    return {**fields, WORKSPACE_KEY: named}


def _fields(root: str, names: Mapping[str, NameType]) -> dict[str, Schema]:
    about = describe_fields()
    values = {name: _value(type_, (root, name)) for name, type_ in names.items()}
    return {name: _describe(value, about.get((root, name))) for name, value in values.items()}


def _value(kind: NameType, keys: tuple[str, ...] = ()) -> Schema:
    if isinstance(kind, Items):
        values = {name: _value(type_) for name, type_ in kind.fields.items()}
        about = kind.descriptions
        item = _object({name: _describe(value, about.get(name)) for name, value in values.items()})
        return {"anyOf": [{"type": "array", "items": item}, {"type": "null"}]}
    if isinstance(kind, Mapping):
        below = {
            name: _describe(_value(type_, (*keys, name)), describe_fields().get((*keys, name)))
            for name, type_ in kind.items()
        }
        return {"anyOf": [_object(below), {"type": "null"}]}
    value = describe_known_text(keys) if kind == "text" else _TYPES[kind]
    return {"anyOf": [*value.get("anyOf", [value]), {"type": "null"}]}


def _object(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _expected() -> Schema:
    some: Schema = {"anyOf": [_RULE, {**_RULES, "minItems": 1}]}
    others = ", ".join(list_other_stop_paths())
    reasons = f"The path of the condition that fails, such as where.model.tags.hold, or {others}."
    reason: Schema = {"type": "string", "description": reasons}
    failing: Schema = {"type": "object", "additionalProperties": reason, "minProperties": 1}
    values: Schema = {"type": "object", "minProperties": 1}
    return _object(
        {
            "match": {**some, "description": "Rules that match; others may match too."},
            "not": {
                "anyOf": [*some["anyOf"], failing],
                "description": "Rules that do not match, each with the condition that fails if you like.",
            },
            "only": {
                "anyOf": [_RULE, _RULES],
                "description": "Rules that match, where no other does; [] for none.",
            },
            "dedupe": {**values, "description": "Rules that match, each with the value of its `dedupe`."},
        }
    ) | {"minProperties": 1}
