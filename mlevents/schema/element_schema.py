"""The JSON Schema of steps and connections: the keys of the action, or of the type, that is written."""

import inspect
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from mlevents.schema.model_schema import Schema, make_model_schema, refer_to

_INSERTED: Schema = {"type": "string", "pattern": r"\$\{"}
_SETTING: Schema = {"type": "string", "pattern": r"\$\{\s*env\."}

type Elements = Sequence[tuple[str, type[BaseModel]]]


def build_step_schemas(step: Schema, actions: Elements) -> dict[str, Schema]:
    """The definition of a step, and those of the parameters of each action; `step` has the keys of all."""
    definitions: dict[str, Schema] = {}
    properties, cases = dict(step["properties"]), []
    about = properties["with"]["description"]
    for name, action in actions:
        parameters = _make_element_schema(name, action, definitions)
        definitions |= {name: parameters}
        required = {"required": ["with"]} if parameters.get("required") else {}
        given = {**refer_to(name), "description": about}
        cases.append(_make_case(("uses", name, action), {"properties": {"with": given}, **required}))
    definitions = {name: _fill_later(member) for name, member in definitions.items()}
    properties["uses"] = _describe_choice(actions, "The action.")
    return {**definitions, "step": {**close_cases(step, cases), "properties": properties}}


def build_connection_schemas(types: Elements) -> dict[str, Schema]:
    """The definitions of a connection, of each type of it, and of the keys that an environment changes."""
    definitions: dict[str, Schema] = {}
    cases, changes = [], []
    for name, connection in types:
        fields = _make_element_schema(name, connection, definitions)
        required = {key: fields[key] for key in ("required",) if key in fields}
        definitions |= {name: _accept_settings(fields)}
        cases.append(_make_case(("type", name, connection), {**refer_to(name), **required}))
        changes.append(_make_case(("type", name, connection), refer_to(name)))
    kind = {"type": "object", "properties": {"type": _describe_choice(types, "What it connects to.")}}
    return {
        **definitions,
        "connection": {**close_cases(kind, cases), "required": ["type"]},
        "connection change": {"if": {"required": ["type"]}, "then": close_cases(kind, changes)},
    }


def close_cases(schema: Schema, cases: Sequence[Schema]) -> Schema:
    """The schema with keys of each case, and no other key."""
    closed = {key: value for key, value in schema.items() if key != "additionalProperties"}
    return {**closed, "allOf": [*cases], "unevaluatedProperties": False}


def _describe_choice(elements: Elements, about: str) -> Schema:
    """The schema of a name of one of these, which an editor offers with what each is."""
    texts = [_summarize(element) for _, element in elements]
    return describe_values({name: text for (name, _), text in zip(elements, texts, strict=True)}, about)


def describe_values(values: Mapping[str, str], about: str) -> Schema:
    """The schema of a closed set of texts, each with its meaning; `about` is what the key means."""
    meanings = list(values.values())
    shown = {"enumDescriptions": meanings, "markdownEnumDescriptions": meanings} if any(meanings) else {}
    return {"type": "string", "enum": list(values), "description": about, **shown}


def _make_case(written: tuple[str, str, type[BaseModel]], then: Schema) -> Schema:
    """What holds where a key has the name of this element."""
    key, name, element = written
    named = {"const": name, "description": _summarize(element)}
    return {"if": {"properties": {key: named}, "required": [key]}, "then": then}


def _make_element_schema(name: str, element: type[BaseModel], definitions: dict[str, Schema]) -> Schema:
    """The element's schema; its own definitions go to the others. Its docstring is not for users."""
    found = make_model_schema(element, name)
    definitions |= found.pop("$defs", {})
    found.pop("description", None)
    return {"properties": {}, **found}


def _fill_later(schema: Schema) -> Schema:
    """The schema of parameters, each of which, and each part of which, may be a text with `${…}`."""
    found = dict(schema)
    if "properties" in found:
        properties = found["properties"].items()
        found["properties"] = {name: _or_arm(_fill_later(one), _INSERTED) for name, one in properties}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _or_arm(_fill_later(found[key]), _INSERTED)
    for key in ("then", "else"):
        if key in found:
            found[key] = _fill_later(found[key])
    for key in ("anyOf", "allOf"):
        if key in found:
            found[key] = [_fill_later(one) for one in found[key]]
    return found


def _accept_settings(schema: Schema) -> Schema:
    """The schema of a connection's fields, each of which may hold a `${env.…}`."""
    found: Schema = {}
    if "properties" in schema:
        found["properties"] = {name: _or_setting(one) for name, one in schema["properties"].items()}
    if "if" in schema:
        found |= {"if": schema["if"], "then": _accept_settings(schema["then"])}
    if "else" in schema:
        found["else"] = _accept_settings(schema["else"])
    if "allOf" in schema:
        found["allOf"] = [_accept_settings(one) for one in schema["allOf"]]
    return found


def _or_setting(schema: Schema) -> Schema:
    arms = schema.get("anyOf", [schema])
    return _or_arm(schema, _SETTING) if any(one.get("type") == "string" for one in arms) else schema


def _or_arm(schema: Schema, arm: Schema) -> Schema:
    """The schema, or a text of this form where it does not take every text."""
    arms = schema.get("anyOf", [schema])
    if not schema or any("not" in one or _takes_any_text(one) for one in arms):
        return schema
    about = {"description": schema["description"]} if "description" in schema else {}
    return {"anyOf": [*arms, arm], **about, **{k: v for k, v in schema.items() if k == "default"}}


def _takes_any_text(schema: Schema) -> bool:
    if schema.get("type") == "string":
        return not schema.keys() & {"enum", "pattern", "const"}
    return not schema.keys() & {"type", "$ref", "enum", "const", "anyOf", "oneOf"}


def _summarize(element: type) -> str:
    """What the element's module says first, which is for users; else what its class says."""
    about = inspect.getdoc(inspect.getmodule(element)) or inspect.cleandoc(element.__doc__ or "")
    return about.partition("\n\n")[0].replace("\n", " ")
