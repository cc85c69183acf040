"""YAML documents in the Azure ML CLI v2 schemas, as they may be used from inside a function.

Nothing local may be named in them: the SDK would upload it, from a function's own file system, in
calls that can hang. What is needed is registered beforehand and named by reference.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mlevents.errors import PermanentError

LONGEST_PATH = 4096
REFERENCE = re.compile(r"azureml:.|/subscriptions/", re.IGNORECASE)
REMOTE = re.compile(r"azureml:.|/subscriptions/|(?:https?|wasbs?|abfss?|adl)://", re.IGNORECASE)
ASSETS = frozenset({"code", "component", "environment"})
FREE = frozenset({"inputs", "outputs", "jobs", "tags", "properties", "environment_variables"})
"""Maps whose keys are names of the author's own, and whose plain texts are values."""
FILES = frozenset({"conda_file", "build", "dockerfile_path", "local_path"})


def parse(name: str, text: str) -> dict[str, Any]:
    """The document in the file of this name; raises PermanentError saying what is wrong with it."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise PermanentError(f"'{name}' is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise PermanentError(f"'{name}' holds no YAML mapping: write it in the Azure ML CLI v2 schema")
    return remote(name, document)


def remote(name: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document itself; raises PermanentError when something in it is not in the workspace."""
    try:
        local = list(local_parts(document))
    except RecursionError as error:
        raise PermanentError(f"'{name}' holds an anchor that leads back to itself: write it out") from error
    if local:
        raise PermanentError(
            f"'{name}' names what is not in the workspace: {'; '.join(local)}. Nothing is uploaded from a "
            "function: register it once, and name it by reference, such as azureml:name:version"
        )
    return document


def local_parts(value: Any, path: str = "") -> Iterator[str]:
    """Each place of a document that names something local or defines something to be built."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _local(f"{key}", member, f"{path}.{key}" if path else f"{key}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from local_parts(member, f"{path}[{number}]")


def _local(key: str, value: Any, path: str) -> Iterator[str]:
    if key in FREE and isinstance(value, Mapping):
        for name, member in value.items():
            if not isinstance(member, str):
                yield from local_parts(member, f"{path}.{name}")
            elif key == "inputs" and _is_here(member):
                yield f"{path}.{name} is {_quoted(member)}"
    elif (key in ASSETS and isinstance(value, Mapping)) or (key in FILES and value is not None):
        yield f"{path} is {_quoted(value)}"
    elif isinstance(value, str):
        if _is_local(key, value):
            yield f"{path} is {_quoted(value)}"
    else:
        yield from local_parts(value, path)


def _is_local(key: str, text: str) -> bool:
    if text.startswith("${{"):
        return False
    if key == "compute":
        return text.removeprefix("azureml:") == "local"
    if key in ASSETS:
        return not REFERENCE.match(text)
    return text.startswith("file:") or (key == "path" and not REMOTE.match(text))


def _is_here(text: str) -> bool:
    """Whether the SDK could take an input's plain text for a file of ours, and upload it."""
    if REMOTE.match(text) or text.startswith("${{"):
        return False
    return text.startswith("file:") or Path(text[:LONGEST_PATH]).exists()


def _quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else "defined in place"
