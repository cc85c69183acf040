"""A request for a fault: what its JSON may say, and what it means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sandbox.azure.routes import Failure
from sandbox.azure.validation import find_problems

ENDS = ("status", "drop", "fail_operation")
"""The properties that end a request; each excludes the others."""


@dataclass(frozen=True, slots=True)
class FaultRequest:
    """Which requests fail, how, and how often. `source` is the JSON, as `GET` lists it."""

    pattern: re.Pattern[str]
    source: Mapping[str, object]
    times: int
    skip: int
    delay: float
    after: bool
    drop: bool
    status: int | None
    headers: Mapping[str, str]
    body: object
    failure: Failure | None

    @classmethod
    def from_json(cls, source: Any) -> Self:
        """The fault that a JSON value describes; raises ValueError naming every problem."""
        problems = find_problems("fault", source)
        problems += _find_contradictions(source) if isinstance(source, dict) else []
        if problems:
            raise ValueError("; ".join(problems))
        present = {name: value for name, value in source.items() if value is not None}
        operation = present.get("fail_operation")
        return cls(
            re.compile(source["match"], re.IGNORECASE),
            dict(source),
            times=present.get("times", 1),
            skip=present.get("skip", 0),
            delay=present.get("delay", 0),
            after=present.get("after", False),
            drop=present.get("drop", False),
            status=present.get("status"),
            headers=present.get("headers", {}),
            body=present.get("body"),
            failure=_parse_failure(operation) if operation else None,
        )


def _parse_failure(operation: Mapping[str, str]) -> Failure:
    code = operation["code"]
    return Failure(code, operation.get("message", f"The operation failed: {code}."))


def _find_contradictions(source: Mapping[str, Any]) -> list[str]:
    """What no schema says: a pattern that cannot be compiled, and properties that exclude each other."""
    found = _check_pattern(source.get("match"))
    of_the_hub = str(source.get("match", "")).upper().startswith(("ENTITY ", "START "))
    if not of_the_hub and not any(source.get(name) is not None for name in (*ENDS, "delay", "body")):
        found.append("one of 'status', 'body', 'drop', 'delay' and 'fail_operation' is required")
    ends = [name for name in ENDS if source.get(name)]
    ends += ["body"] if source.get("body") is not None and "status" not in source else []
    if len(ends) > 1:
        found.append(f"'{ends[0]}' and '{ends[1]}' exclude each other")
    if source.get("after") and (not ends or "fail_operation" in ends):
        found.append("'after' replaces the answer: add 'status', 'body' or 'drop'")
    return found


def _check_pattern(pattern: object) -> list[str]:
    try:
        re.compile(pattern if isinstance(pattern, str) else "")
    except re.error as error:
        return [f"'match' is '{pattern}', which is not a valid regular expression: {error}"]
    return []
