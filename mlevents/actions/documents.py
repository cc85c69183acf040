"""YAML documents in the Azure ML CLI v2 schemas, for use in a function.

They must not name local files: the SDK would upload them from the function's file system, in calls that can
hang. Register such assets first, and reference them by name.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlevents.errors import PermanentError
from mlevents.yamlfile.positions import Document
from mlevents.yamlfile.reader import MAX_CHARACTERS, parse_yaml
from mlevents.yamlfile.scalars import to_plain_numbers

# Only the text decides: no file is looked up, so no event can find out which files exist.
# Schemes are in lower case, as in the SDK: it reads upper case as a path.
_ARM_ID = "(?i:/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.)"
REFERENCE = re.compile(f"azureml:.|{_ARM_ID}")
REMOTE = re.compile(f"azureml:.|{_ARM_ID}|(?:https?|wasbs?|abfss?|adl)://.")
BINDING = re.compile(r"\$\{\{[\w.\s-]*\}\}")
"""A reference from one part of a pipeline to another."""
UPWARDS = re.compile(r"(?:^|[/\\:])\.{1,2}(?:[/\\]|$)")
SHOWN_PROBLEMS = 3
ASSETS = frozenset({"code", "component", "environment"})
FREE = frozenset({"inputs", "outputs", "jobs", "tags", "properties", "environment_variables"})
"""Maps whose keys the author chooses, and whose texts are values."""
FILES = frozenset({"conda_file", "build", "dockerfile_path", "local_path"})


def parse_document(name: str, text: str) -> dict[str, Any]:
    """The mapping in a file; raises PermanentError with the problems of an invalid file."""
    return parse_placed_document(name, text).value  # type: ignore[no-any-return]


def parse_placed_document(name: str, text: str) -> Document:
    """The mapping in a file, with the places in it; raises PermanentError as `parse_document` does."""
    document = parse_yaml(text, name)
    if document.problems:
        raise PermanentError("; ".join(map(str, document.problems[:SHOWN_PROBLEMS])))
    if not isinstance(document.value, dict):
        raise PermanentError(f"'{name}' holds no YAML mapping: write it in the Azure ML CLI v2 schema")
    document.value = require_remote(name, to_plain_numbers(document.value))
    return document


def parse_json(name: str, text: str) -> Any:
    """The JSON in a file, with the size limit of YAML files; raises PermanentError."""
    if len(text) > MAX_CHARACTERS:
        raise PermanentError(f"'{name}' has {len(text):,} characters: keep it within {MAX_CHARACTERS:,}")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise PermanentError(f"'{name}' is nested too deeply: flatten it") from error
    except ValueError as error:
        raise PermanentError(f"'{name}' is not JSON: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON: write one, or null")


def is_remote(text: str) -> bool:
    """Whether a text names data that Azure can reach, and cannot be read as a local file."""
    return REMOTE.match(text) is not None and not UPWARDS.search(text) and text.isprintable()


def require_remote(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document; raises PermanentError when a part of it is not in the workspace."""
    if local := list(local_parts(document)):
        raise PermanentError(
            f"'{name}' names what is not in the workspace: {'; '.join(local)}. Nothing is uploaded from a "
            "function: register it once, and name it by reference, such as azureml:name:version"
        )
    return document


def local_parts(value: Any, path: str = "") -> Iterator[str]:
    """Each part of a document that names a local file or defines an asset to build."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _local(f"{key}", member, f"{path}.{key}" if path else f"{key}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from local_parts(member, f"{path}[{number}]")


def _local(key: str, value: Any, path: str) -> Iterator[str]:
    if key in FREE and isinstance(value, Mapping):
        for name, member in value.items():
            if not isinstance(member, str):  # a text is a literal value, to Azure ML's SDK too
                yield from local_parts(member, f"{path}.{name}")
    elif (key in ASSETS and isinstance(value, Mapping)) or (key in FILES and value is not None):
        yield f"{path} is {_quoted(value)}"
    elif isinstance(value, str):
        if _is_local(key, value):
            yield f"{path} is {_quoted(value)}"
    else:
        yield from local_parts(value, path)


def _is_local(key: str, text: str) -> bool:
    if BINDING.fullmatch(text):
        return False
    if key == "compute":
        return text.removeprefix("azureml:") == "local"
    if key in ASSETS:
        return not REFERENCE.match(text) or UPWARDS.search(text) is not None
    return text.startswith("file:") or (key == "path" and not is_remote(text))


def _quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else "defined in place"
