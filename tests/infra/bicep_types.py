"""Checks a resource against Azure's own types, where they are at hand.

`BICEP_TYPES` names a clone of github.com/Azure/bicep-types-az; without it, those of Azure ML that may lie
beside this repository are used. They are read, never copied.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.infra.bicep_file import Declaration, properties, text

BESIDE = Path(__file__).resolve().parents[3] / "shared/specs/bicep_types_ml_2025-12-01.json"
CLONE = os.environ.get("BICEP_TYPES", "")
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
def _index() -> dict[tuple[str, str], list[str]]:
    """The files of a clone, by resource provider and API version."""
    command = ["git", "-C", CLONE, "ls-tree", "-r", "--name-only", "HEAD", "generated"]
    found: dict[tuple[str, str], list[str]] = {}
    for path in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split():
        if match := re.fullmatch(r"generated/[^/]+/([^/]+)/([^/]+)/types\.json", path):
            found.setdefault((match[1], match[2]), []).append(path)
    return found


@cache
def _documents(provider: str, version: str) -> list[list[Any]]:
    if not CLONE:
        beside = provider == "microsoft.machinelearningservices" and version == "2025-12-01"
        return [json.loads(BESIDE.read_text())] if beside and BESIDE.exists() else []
    paths = _index().get((provider, version), [])
    shown = [["git", "-C", CLONE, "show", f"HEAD:{path}"] for path in paths]
    return [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for command in shown]


def at_hand(resource: Declaration) -> bool:
    """Whether types of this resource's provider and version are here."""
    full, _, version = resource.target.partition("@")
    return bool(_documents(full.split("/")[0].lower(), version))


def problems(resource: Declaration) -> list[str]:
    """What is wrong with a resource, by its type."""
    full, _, version = resource.target.partition("@")
    for types in _documents(full.split("/")[0].lower(), version):
        for one in types:
            if one["$type"] == "ResourceType" and one["name"].lower() == resource.target.lower():
                found = _check(types, _of(types, one["body"]), resource.body, full)
                return [] if resource.existing else list(found)
    return [f"{resource.target}: there is no such type"]


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
