"""The JSON Schema of a test in the rule file: the event it gives, and what it expects."""

from mlevents.events import NAMES
from mlevents.events.event_type import Items, NameType
from mlevents.rule_tests.expectations import list_other_stop_paths
from mlevents.rule_tests.name_check import WORKSPACE_KEY
from mlevents.schema.where_schema import Schema

_TYPES: dict[str, Schema] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "texts": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
}
_RULE: Schema = {"type": "string", "description": "The id of a rule."}
_RULES: Schema = {"type": "array", "items": _RULE}


def build_rule_test_schemas() -> dict[str, Schema]:
    """The definitions of `Given` and `Expected`."""
    kinds = {kind: _object(_roots(kind)) for kind in sorted(NAMES)}
    given = _object(kinds) | {"minProperties": 1, "maxProperties": 1}
    return {"Given": given, "Expected": {"anyOf": [_RULE, {**_RULES, "minItems": 1}, _expected()]}}


def _roots(kind: str) -> dict[str, Schema]:
    fields = {
        root: _object({name: _value(type_) for name, type_ in NAMES[kind][root].items()})
        for root in NAMES[kind]
    }
    named: Schema = {
        "type": "string",
        "description": "The name of one of `workspaces`; the first when left out.",
    }
    return {**fields, WORKSPACE_KEY: named}


def _value(kind: NameType) -> Schema:
    if isinstance(kind, Items):
        item = _object({name: _value(type_) for name, type_ in kind.fields.items()})
        return {"anyOf": [{"type": "array", "items": item}, {"type": "null"}]}
    return {"anyOf": [_TYPES[kind], {"type": "null"}]}


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
