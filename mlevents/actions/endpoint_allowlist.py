"""The rule file's `endpoints`: the endpoints that a value from an event may name.

```yaml
endpoints: [fraud-*, churn]     # "*" allows all
```

A text is compared as the endpoint name that it gives, without case, as in Azure. So no other spelling of a
name passes the list.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mlevents.actions.allowed_target import Target
from mlevents.actions.endpoint_names import endpoint_name
from mlevents.canonical import fold
from mlevents.errors import NotAllowedError, PermanentError
from mlevents.events.studio_links import ENDPOINT_NAMES
from mlevents.expressions.template import EXPRESSION_START
from mlevents.services.machine_learning.resource_ids import ModelReference

SECTION = "endpoints"
WILDCARD = "*"
LONGEST_PATTERN = 100

_WITH_STAR = re.compile(r"[a-zA-Z0-9*-]+", re.ASCII)


def check_pattern(text: str) -> str:
    """A pattern in the form for comparison: a name in lower case, or with `*` for any characters.

    Raises ValueError for a pattern that cannot match an endpoint.
    """
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"the pattern has {len(text)} characters: keep it within {LONGEST_PATTERN}")
    if EXPRESSION_START in text:
        raise ValueError(f"'{text}' is an expression: no event chooses what it may name, so write a name")
    if WILDCARD in text:
        if not _WITH_STAR.fullmatch(text):
            raise ValueError(
                f"'{text}' can match no endpoint: names hold letters, digits and '-'; "
                "'*' matches any characters"
            )
        return fold(text)
    try:
        return fold(endpoint_name(text))
    except PermanentError as error:
        raise ValueError(str(error)) from error


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_SCHEMA = {"type": "string", "minLength": 1, "maxLength": LONGEST_PATTERN}
EndpointList = Annotated[
    tuple[Annotated[str, AfterValidator(check_pattern)], ...],
    Field(min_length=1, strict=False),
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [_SCHEMA, {"type": "array", "items": _SCHEMA, "minItems": 1}]}),
]
"""Patterns of endpoint names, one or a list."""


def is_listed(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns matches this endpoint's name."""
    return any(_matches(fold(name), check_pattern(pattern)) for pattern in patterns)


def _refusal(name: str, patterns: Sequence[str]) -> str | None:
    """Why an event may not name this endpoint, with the remedy; None if it may."""
    if is_listed(name, patterns):
        return None
    return (
        f"the event names the endpoint '{name}', which is not one of `{SECTION}` ({', '.join(patterns)}): "
        "correct the model's tag or name, or add the endpoint to the list"
    )


def check_allowlist(name: str, patterns: Sequence[str] | None) -> None:
    """Raise NotAllowedError for an endpoint that no pattern matches; None means that the rule names it."""
    if patterns is not None and (because := _refusal(name, patterns)):
        raise NotAllowedError(because)


def _open(written: Mapping[str, Any]) -> str | None:
    """`endpoint` when the event chooses the endpoint: by an expression, or by its model's name."""
    said = written.get("endpoint") or written.get("model")
    return None if said and not (isinstance(said, str) and EXPRESSION_START in said) else "endpoint"


def _name(parameters: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    """The endpoint's name, as in a rollout; raises ValueError when nothing names one."""
    model = parameters.get("model")
    own = ModelReference.parse(str(model)).name if model else (names.get("model") or {}).get("name")
    text = parameters.get("endpoint") or own
    if not isinstance(text, str):
        raise ValueError(f"{text!r:.100} names no endpoint")  # noqa: TRY004 - a value, not a type of ours
    return endpoint_name(text)


TARGET = Target(SECTION, ("endpoint", "model"), _open, _name, _refusal, ENDPOINT_NAMES)


def _matches(name: str, pattern: str) -> bool:
    """Compare piece by piece, so that each piece of a pattern takes linear time at most."""
    head, *middle = pattern.split(WILDCARD)
    if not middle:
        return name == head
    *middle, tail = middle
    if not name.startswith(head):
        return False
    at = len(head)
    for piece in middle:
        found = name.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(name) - at >= len(tail) and name.endswith(tail)
