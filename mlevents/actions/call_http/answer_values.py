"""What later steps read of an answer: values at JSONPaths (RFC 9535)."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonpath import CompoundJSONPath, JSONPath

type ParsedPath = JSONPath | CompoundJSONPath
OWN_RESULTS = ("status",)
"""Names of a result that the action sets itself."""


def parse_json_path(text: str) -> ParsedPath:
    """The path; raises ValueError for one that is not a JSONPath."""
    from jsonpath import JSONPathError  # it takes longer to import than the rules take to load

    try:
        return _parse(text)
    except JSONPathError as error:
        reason = str(error).partition(", line")[0]
        raise ValueError(f"'{text}' is not a JSONPath: {reason}: write one such as $.id") from None


@cache
def _parse(text: str) -> ParsedPath:
    from jsonpath import JSONPathEnvironment

    return JSONPathEnvironment(strict=True).compile(text)


def read_json_path(path: str, document: Any) -> Any:
    """The value at a path, a list of several; None when there is none."""
    found = parse_json_path(path).findall(document)
    return found if len(found) > 1 else next(iter(found), None)


def read_json_paths(paths: Mapping[str, str], document: Any) -> dict[str, Any]:
    """The value of each name; a name is left out when the answer has nothing there."""
    found = {name: read_json_path(path, document) for name, path in paths.items()}
    return {name: value for name, value in found.items() if value is not None}
