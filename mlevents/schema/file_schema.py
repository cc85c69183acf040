"""The JSON Schema of the rule file, for editors: what `load` checks, as far as a schema can say it."""

import inspect
from typing import Any

from pydantic import BaseModel

from mlevents.rules.syntax import NAME_PATTERN, rule_file_model
from mlevents.rules.vocabulary import VOCABULARY, Vocabulary
from mlevents.schema.rule_test_schema import build_rule_test_schemas
from mlevents.schema.where_schema import Schema, build_where_schemas

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_INSERTED: Schema = {"type": "string", "pattern": r"\$\{", "description": "Filled in from the event."}

_KNOWN_ELSEWHERE = (
    ("RuleSyntax", "where", "Where"),
    ("RuleTestSyntax", "given", "Given"),
    ("RuleTestSyntax", "expect", "Expected"),
)


def build_file_schema(vocabulary: Vocabulary = VOCABULARY) -> Schema:
    """The schema of a rule file that may use this vocabulary, in JSON Schema 2020-12."""
    schema = make_model_schema(rule_file_model())
    definitions = schema.pop("$defs")
    definitions.update(build_where_schemas())
    definitions.update(build_rule_test_schemas())
    for name, key, known in _KNOWN_ELSEWHERE:
        properties = definitions[name]["properties"]
        about = properties[key]["description"]
        properties[key] = {"$ref": f"#/$defs/{known}", "description": about}
    step = definitions["Step"]
    definitions["Step"] = {"oneOf": [_step(step, *one, definitions) for one in vocabulary.actions.items()]}
    connections = [_connection(*one, definitions) for one in vocabulary.connections.items()]
    _named(schema, "connections", {"oneOf": connections})
    _named(schema, "workspaces", {"type": "string"})
    return {"$schema": DIALECT, **schema, "$defs": dict(sorted(definitions.items()))}


def _named(schema: Schema, section: str, member: Schema) -> None:
    about = schema["properties"][section]["description"]
    names = {"patternProperties": {NAME_PATTERN: member}, "additionalProperties": False}
    schema["properties"][section] = {"type": "object", "description": about, **names}


def _step(step: Schema, name: str, action: type[BaseModel], definitions: dict[str, Schema]) -> Schema:
    parameters = _schema_of(name, action, definitions)
    definitions[name] = _open(parameters)
    own = {"uses": {"const": name, "description": _summary(action)}, "with": {"$ref": f"#/$defs/{name}"}}
    required = ["uses", "with"] if parameters.get("required") else ["uses"]
    return {**step, "properties": {**step["properties"], **own}, "required": required}


def _connection(name: str, kind: type[BaseModel], definitions: dict[str, Schema]) -> Schema:
    fields = _schema_of(name, kind, definitions)
    own = {"type": {"const": name, "description": _summary(kind)}}
    required = ["type", *fields.get("required", [])]
    return {**fields, "properties": {**own, **fields["properties"]}, "required": required}


def _schema_of(name: str, element: type[BaseModel], definitions: dict[str, Schema]) -> Schema:
    """The element's schema; its own definitions go to the others, under names that begin with its own."""
    found: Schema = _named_after(name, make_model_schema(element))
    definitions.update({f"{name}.{inner}": member for inner, member in found.pop("$defs", {}).items()})
    return found


def _named_after(name: str, value: Any) -> Any:
    """The value with each reference to a definition led to the one of this element."""
    if isinstance(value, list):
        return [_named_after(name, item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {key: _named_after(name, item) for key, item in value.items()}
    if isinstance(to := value.get("$ref"), str):
        renamed["$ref"] = to.replace("#/$defs/", f"#/$defs/{name}.")
    return renamed


def make_model_schema(model: type[BaseModel]) -> Schema:
    """The model's schema without what helps nobody in an editor: titles, and null for what is left out."""
    found: Schema = _tidy(model.model_json_schema(by_alias=True))
    return found


def _tidy(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidy(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(item) for key, item in value.items() if not _is_noise(key, item)}
    if len(kept.get("anyOf", ())) == 1:
        [arm] = kept.pop("anyOf")
        return {**arm, **kept}
    return kept


def _is_noise(key: str, item: object) -> bool:
    return (key == "title" and isinstance(item, str)) or (key == "default" and item in (None, "", [], {}))


def _open(schema: Schema) -> Schema:
    """The schema of parameters, each of which may be a text that the event fills in."""
    properties = {name: _or_inserted(found) for name, found in schema["properties"].items()}
    return {**schema, "properties": properties}


def _or_inserted(schema: Schema) -> Schema:
    if schema.get("type") == "string" and not schema.keys() & {"enum", "pattern", "const"}:
        return schema
    about = {"description": schema["description"]} if "description" in schema else {}
    return {"anyOf": [schema, _INSERTED], **about}


def _summary(element: type) -> str:
    """What the element's module says first, which is for users; else what its class says."""
    about = inspect.getdoc(inspect.getmodule(element)) or inspect.cleandoc(element.__doc__ or "")
    return about.partition("\n\n")[0]
