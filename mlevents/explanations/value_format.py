"""Values of rules and events as explanations write them."""

import json
from typing import Any


def format_found(value: object) -> str:
    """What was found in an event, in a word for people."""
    return "nothing" if value is None else format_value(value)


def format_value(value: object) -> str:
    """A value as JSON writes it."""
    return json.dumps(value, ensure_ascii=False)


def format_condition(wanted: Any) -> str:
    """A condition as written, in the operator's words."""
    if isinstance(wanted, list):
        return f"in {format_value(wanted)}"
    if not isinstance(wanted, dict):
        return f"equals {format_value(wanted)}"
    return " and ".join(
        name if value is True else f"{name} {format_value(value)}" for name, value in wanted.items()
    )


def shorten_subject(subject: str) -> str:
    """The name in a subject: `net:3` of `models/net:3`, the run of an experiment."""
    return subject.rstrip("/").rpartition("/")[2]
