"""The JSON Schema of a pydantic model as an editor uses it: plain names, and no word about the code."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REFERENCE = "#/$defs/"
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def refer_to(definition: str) -> Schema:
    """A reference to a definition of this name."""
    return {"$ref": _REFERENCE + quote(definition)}


def make_model_schema(model: type[BaseModel], owner: str = "") -> Schema:
    """The model's schema without titles, and without null for what is left out.

    An editor offers a definition by its name: `RuleTestSyntax` is called `rule test` here, and what only one
    element uses begins with the name of this `owner`.
    """
    found: Schema = _tidy(model.model_json_schema(by_alias=True), owner)
    if "$defs" in found:
        found["$defs"] = {_name(owner, name): member for name, member in found["$defs"].items()}
    return found


def complete_schema(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The whole document, in the form in which the YAML language server uses it best.

    A description with code is Markdown. A key is explained where it is, not by the definition or the
    alternative that its value fits: the server would show that instead. `required` is apart from
    `properties`, else the server offers the definition itself, by its name, next to the keys.
    """
    definitions = {name: _drop_description(one) for name, one in definitions.items()}
    found = {"$schema": DIALECT, **schema, "$defs": dict(sorted(definitions.items()))}
    return _complete(found)


def _drop_description(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "description"}


def _complete(schema: Schema) -> Schema:
    found = dict(schema)
    for key in ("properties", "patternProperties", "$defs"):
        if key in found:
            found[key] = {name: _complete(one) for name, one in found[key].items()}
    for key in ("items", "additionalProperties", "not", "if", "then", "else"):
        if isinstance(found.get(key), dict):
            found[key] = _complete(found[key])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in found:
            found[key] = [_complete(_drop_description(one)) for one in found[key]]
    if "`" in (text := found.get("description", "")):
        found["markdownDescription"] = text
    if "required" in found and "properties" in found:
        found["allOf"] = [*found.get("allOf", ()), {"required": found.pop("required")}]
    return found


def _name(owner: str, model: str) -> str:
    words = _WORD.sub(" ", model.removesuffix("Syntax")).lower()
    return f"{owner} {words}".strip()


def _tidy(value: Any, owner: str) -> Any:
    if isinstance(value, list):
        return [_tidy(item, owner) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(item, owner) for key, item in value.items() if not _is_noise(key, item)}
    if isinstance(to := kept.get("$ref"), str):
        kept |= refer_to(_name(owner, to.removeprefix(_REFERENCE)))
    if isinstance(text := kept.get("description"), str):
        kept["description"] = text[:1].upper() + text[1:]
    if len(kept.get("anyOf", ())) == 1:
        [arm] = kept.pop("anyOf")
        return {**arm, **kept}
    return kept


def _is_noise(key: str, item: object) -> bool:
    return (key == "title" and isinstance(item, str)) or (key == "default" and item in (None, "", [], {}))
