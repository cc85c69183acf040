"""Checks a resource against Azure's own types, as far as tests/data/azure/types has them."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep_file import Declaration, properties, text

FOLDER = Path(__file__).resolve().parents[1] / "data" / "azure" / "types"
REQUIRED, READ_ONLY, CONSTANT = 1, 2, 8
OF_BICEP = {"parent", "scope", "dependsOn"}
WRONG = {
    "StringType": {"number", "boolean", "object", "array"},
    "IntegerType": {"string", "boolean", "object", "array"},
    "BooleanType": {"string", "number", "object", "array"},
    "ObjectType": {"string", "number", "boolean", "array"},
    "ArrayType": {"string", "number", "boolean", "object"},
}


@cache
def _known() -> dict[str, tuple[list[Any], Any]]:
    """By `type@version` in lower case: the types of a file, and the body of the resource among them."""
    known = {}
    for path in FOLDER.glob("*.json"):
        document = json.loads(path.read_text())
        for one in document["types"]:
            if one["$type"] == "ResourceType":
                name, _, version = one["name"].lower().partition("@")
                body = _of(document["types"], one["body"])
                known[f"{name}@{document.get('used for', version)}"] = (document["types"], body)
    return known


def problems(resource: Declaration) -> list[str]:
    """What is wrong with a resource, by its type."""
    found = _known().get(resource.target.lower())
    if found is None:
        return [f"{resource.target}: there is no such type"]
    return [] if resource.existing else list(_check(*found, resource.body, resource.target.partition("@")[0]))


def _of(types: list[Any], reference: Mapping[str, str]) -> Any:
    return types[int(reference["$ref"].rsplit("/", 1)[1])]


def _check(types: list[Any], kind: Any, node: Node, path: str) -> Iterator[str]:
    name = kind["$type"]
    if node.type in WRONG.get(name, ()):
        yield f"{path}: wants {name}, found {text(node)[:40]}"
    elif node.type == "object" and name in ("ObjectType", "DiscriminatedObjectType"):
        yield from _check_object(types, kind, node, path)
    elif node.type == "array" and name == "ArrayType":
        for child in node.named_children:
            yield from _check(types, _of(types, kind["itemType"]), child, f"{path}[]")
    elif node.type == "string" and "${" not in text(node):
        yield from _check_text(types, kind, text(node).strip("'"), path)


def _check_object(types: list[Any], kind: Any, node: Node, path: str) -> Iterator[str]:
    written, known = properties(node), _properties(types, kind, node)
    for name, value in written.items():
        if name in known:
            if known[name]["flags"] & READ_ONLY and not known[name]["flags"] & REQUIRED:
                yield f"{path}.{name}: is read-only"
            yield from _check(types, _of(types, known[name]["type"]), value, f"{path}.{name}")
        elif "${" not in name and name not in OF_BICEP and not kind.get("additionalProperties"):
            yield f"{path}.{name}: there is no such property; there are {sorted(known)}"
    for name, one in known.items():
        if one["flags"] & REQUIRED and not one["flags"] & (READ_ONLY | CONSTANT) and name not in written:
            yield f"{path}.{name}: is missing"


def _properties(types: list[Any], kind: Any, node: Node) -> dict[str, Any]:
    known = dict(kind.get("properties") or kind.get("baseProperties") or {})
    if kind["$type"] == "DiscriminatedObjectType":
        chosen = properties(node).get(kind["discriminator"])
        element = kind["elements"].get(text(chosen).strip("'")) if chosen else None
        known |= _of(types, element)["properties"] if element else {}
    return known


def _check_text(types: list[Any], kind: Any, value: str, path: str) -> Iterator[str]:
    if kind["$type"] == "UnionType":
        values = [one["value"] for one in (_of(types, each) for each in kind["elements"]) if "value" in one]
        if (
            values and value not in values
        ):  # Azure may accept what it does not list; here it is a typing error
            yield f"{path}: '{value}' is none of {values}"
    elif kind["$type"] == "StringType" and not re.search(kind.get("pattern") or "", value):
        yield f"{path}: '{value}' does not match {kind['pattern']}"
