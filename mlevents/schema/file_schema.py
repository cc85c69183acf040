"""The JSON Schema of the rule file, for editors: what `load` checks, as far as a schema can say it.

The schema fits each file of a rule folder too, so a file without `rules` is valid.
"""

from inspect import getdoc

from mlevents.events.field_descriptions import describe_events
from mlevents.gates.gate import AnyGate, gates_in_order
from mlevents.matching.where import ANY_EVENT
from mlevents.rules.syntax import NAME_PATTERN, rule_file_model
from mlevents.rules.vocabulary import VOCABULARY, Vocabulary
from mlevents.schema.element_schema import (
    build_connection_schemas,
    build_step_schemas,
    close_cases,
    describe_values,
)
from mlevents.schema.event_kinds import EVERY_KIND, Kinds, list_cases
from mlevents.schema.model_schema import Schema, complete_schema, make_model_schema, refer_to
from mlevents.schema.rule_test_schema import build_rule_test_schemas
from mlevents.schema.where_schema import build_where_schemas

WAITS = "How long none of the events came."
EVENT_OR_EVERY: Schema = {
    "if": {"required": ["expect"], "properties": {"expect": {"required": ["every"], "description": WAITS}}},
    "else": {"required": ["event"]},
}
"""A rule has events, unless it acts when none came."""


def build_file_schema(vocabulary: Vocabulary = VOCABULARY) -> Schema:
    """The schema of a rule file that may use this vocabulary, in JSON Schema 2020-12."""
    schema = make_model_schema(rule_file_model())
    definitions = schema.pop("$defs")
    cases = list_cases()
    definitions |= build_where_schemas([*cases, EVERY_KIND])
    definitions |= build_rule_test_schemas()
    definitions |= build_step_schemas(definitions["step"], vocabulary.actions.items())
    definitions |= build_connection_schemas(vocabulary.connections.items())
    definitions |= _build_rule_schemas(definitions["rule"], cases)
    for key in ("given", "expect"):
        _replace(definitions["rule test"], key, refer_to(f"test {key}"))
    _replace(schema, "connections", name_members(refer_to("connection")))
    _replace(schema, "workspaces", name_members({"type": "string"}))
    schema["required"] = ["version"]
    return complete_schema(schema, definitions)


def name_members(member: Schema) -> Schema:
    """The schema of a section whose keys are names that people choose."""
    return {"type": "object", "patternProperties": {NAME_PATTERN: member}, "additionalProperties": False}


def _replace(schema: Schema, key: str, value: Schema) -> None:
    """Give a key this schema; its description stays."""
    schema["properties"][key] = {**value, "description": schema["properties"][key]["description"]}


def _build_rule_schemas(rule: Schema, cases: list[Kinds]) -> dict[str, Schema]:
    """The definition of a rule: its events decide what may be in `where`, and which gates fit."""
    own = {f"gate {name}": rule["properties"].pop(name) for name in gates_in_order()}
    properties = {**rule["properties"], "event": _describe_event()}
    about = properties.pop("where")["description"]
    chain = _describe_case(EVERY_KIND, about)
    for case in reversed(cases):
        chain = {"if": case.condition, "then": _describe_case(case, about), "else": chain}
    return {**own, "rule": {**close_cases(rule, [chain, EVENT_OR_EVERY]), "properties": properties}}


def _describe_case(case: Kinds, about: str) -> Schema:
    """The keys that only some rules may have: those for rules that ask for these events."""
    gates = {
        name: {**refer_to(f"gate {name}"), "description": getdoc(found)}
        for name, found in gates_in_order().items()
        if _fits(found, case)
    }
    return {"properties": {"where": {**refer_to(case.title), "description": about}, **gates}}


def _fits(gate: type[AnyGate], case: Kinds) -> bool:
    """Whether a gate finds in these events what it needs, as far as it says so before it has parameters."""

    def complaints(kinds: Kinds) -> set[str]:
        return {text for path, text in gate.check({}, kinds.names) if not path}

    return complaints(case) <= complaints(EVERY_KIND)


def _describe_event() -> Schema:
    known = describe_values({**describe_events(), ANY_EVENT: "Every event."}, "")
    known.pop("description")
    about = 'The events of the rule: one, a list, or "*" for all.'
    return {"anyOf": [known, {"type": "array", "items": known, "minItems": 1}], "description": about}
