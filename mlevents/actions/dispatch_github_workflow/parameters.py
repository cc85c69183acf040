"""The parameters of `dispatch_github_workflow`: what GitHub takes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pydantic import JsonValue

from mlevents.actions.remote_run import KEY_INPUT
from mlevents.errors import PermanentError

MOST_INPUTS, MOST_PAYLOAD_KEYS = 25, 10
"""https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event"""
LONGEST_PAYLOAD = 65_535
"""Characters of all inputs together.
https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows"""
WORKFLOW = re.compile(r"[\w][\w. -]{0,200}\.ya?ml|[0-9]{1,20}", re.ASCII)


def check_workflow(text: str) -> str:
    """Raise ValueError for a text that is neither the name of a workflow's file nor its id."""
    if "${" in text or WORKFLOW.fullmatch(text):
        return text
    raise ValueError(f"'{text}' is not a workflow: write the name of its file, such as promote.yml")


def check_inputs(inputs: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    """Raise ValueError for more inputs than GitHub takes, and for the one that mlevents fills in."""
    return _check_keys(inputs, MOST_INPUTS, "inputs", "where the workflow declares it")


def check_payload(payload: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    """Raise ValueError for more keys than GitHub takes, and for the one that mlevents fills in."""
    return _check_keys(payload, MOST_PAYLOAD_KEYS, "keys", "where there is room for it")


def _check_keys(
    values: dict[str, JsonValue] | None, most: int, what: str, when: str
) -> dict[str, JsonValue] | None:
    if KEY_INPUT in (values or {}):
        raise ValueError(f"'{KEY_INPUT}' is filled in by mlevents {when}: leave it out")
    if len(values or {}) > most:
        raise ValueError(
            f"there are {len(values or {})} {what}, and GitHub takes {most}: put some into one map"
        )
    return values


def require_size(values: Mapping[str, JsonValue], what: str) -> None:
    """Raise PermanentError for values that are longer than GitHub takes."""
    size = len(json.dumps(values, ensure_ascii=False))
    if size > LONGEST_PAYLOAD:
        raise PermanentError(
            f"`{what}` has {size:,} characters, and GitHub takes {LONGEST_PAYLOAD:,}: send less"
        )
