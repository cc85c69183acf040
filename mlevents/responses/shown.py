"""What is shown of a response, small enough for the custom status of its orchestration."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

BUDGET = 16_000
"""Bytes: Durable Functions takes a custom status of 16 KB of JSON in UTF-16."""
DETAILS = (1000, 300, 100, 0)
"""Characters of each detail: the first of these with which everything fits."""
LAST_STEPS = 30
SHORT = 500


def shown(
    response: Mapping[str, Any], status: str, because: str | None, steps: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """The rule, the event, the status and each step, with details cut until they fit."""
    event = {name: response["event"].get(name) for name in ("id", "type", "subject", "time")}
    event["subject"] = event["subject"][:SHORT]
    head = {"rule": response["rule"], "event": event, "status": status}
    for longest in DETAILS:
        cut = [{**step, "detail": step["detail"][:longest]} for step in steps]
        found = {**head, "because": because and because[: max(longest, SHORT)], "steps": cut}
        if len(json.dumps(found, ensure_ascii=False).encode("utf-16-le")) <= BUDGET:
            return found
    return {**found, "steps": found["steps"][-LAST_STEPS:]}
