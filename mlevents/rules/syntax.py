"""The rule file as people write it: every key and its type."""

import re
from collections.abc import Iterable
from functools import lru_cache
from inspect import getdoc
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from mlevents.actions.endpoint_allowlist import EndpointList
from mlevents.events import NAMES
from mlevents.gates.gate import gates_in_order
from mlevents.registry import did_you_mean
from mlevents.rules.event_synonyms import suggest_event
from mlevents.rules.model import Defaults, FilterWidth, Mode, Step, StrictModel

RULE_ID_PATTERN = r"^[a-z][a-z0-9-]{0,59}$"
QUARANTINE, REFUSED, DEAD_LETTERS = "quarantine", "refused", "dead-letters"
RESERVED_IDS = (QUARANTINE, REFUSED, DEAD_LETTERS)
"""How the ids of responses without a rule begin."""
NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_-]{0,59}$"


def _rule_id(text: str) -> str:
    if text in RESERVED_IDS:
        raise ValueError(f"the id '{text}' is reserved for events without a matching rule: choose another")
    if not re.fullmatch(RULE_ID_PATTERN, text):
        raise ValueError(
            f"'{text}' is not a valid rule id: use lower-case letters, digits and '-', "
            "a letter first, at most 60 characters"
        )
    return text


def _name(text: str) -> str:
    if not re.fullmatch(NAME_PATTERN, text):
        raise ValueError(
            f"'{text}' is not a valid name: use letters, digits, '_' and '-', a letter first, "
            "at most 60 characters"
        )
    return text


def _event(kind: str) -> str:
    if kind not in (known := [*sorted(NAMES), "*"]):
        remedy = suggest_event(kind)
        near = "" if remedy else did_you_mean(kind, known)
        raise ValueError(f"unknown event '{kind}'{near}: {remedy or f'use {_choice(known)}'}")
    return kind


def _choice(names: Iterable[str]) -> str:
    *first, last = (f"'{name}'" for name in names)
    return f"{', '.join(first)} or {last}"


def _list_if_text(value: object) -> object:
    return [value] if isinstance(value, str) else value


_RULE_ID_SCHEMA = {"type": "string", "pattern": RULE_ID_PATTERN, "not": {"enum": list(RESERVED_IDS)}}
_EVENT_NAMES = {"enum": [*sorted(NAMES), "*"]}

Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]
EventNames = Annotated[
    tuple[Annotated[str, AfterValidator(_event)], ...],
    Field(min_length=1, strict=False),
    BeforeValidator(_list_if_text),
    WithJsonSchema({"anyOf": [_EVENT_NAMES, {"type": "array", "items": _EVENT_NAMES, "minItems": 1}]}),
]
_Where = Annotated[dict[str, Any], Field(default_factory=dict)]


class RuleSyntax(StrictModel):
    """When this event, where these things hold, first make sure of this, then do that.

    `rule_file_model` adds a key for each gate.
    """

    model_config = ConfigDict(defer_build=True)

    id: Annotated[str, AfterValidator(_rule_id), WithJsonSchema(_RULE_ID_SCHEMA)]
    """give the rule an id that no other rule has."""
    description: str = ""
    """What the rule is for, in a sentence."""
    event: EventNames = ()
    """The events of the rule: one, a list, or "*". A rule with `expect: {every: …}` has none."""
    where: _Where
    """The conditions, in the shape of the normalised event."""
    mode: Mode = "live"
    """`shadow` decides and records, but does nothing; `disabled` does not decide at all."""
    do: Annotated[tuple[Step, ...], Field(min_length=1, strict=False)]
    """list at least one step."""
    on_failure: Annotated[tuple[Step, ...] | None, Field(strict=False)] = None
    """The steps to perform when one of `do` fails, instead of those of `defaults`."""


class RuleTestSyntax(StrictModel):
    """A test that `check` runs: for this event, expect these rules."""

    name: str
    """say what the test shows."""
    given: dict[str, Any]
    """describe one event: its name, and its normalised values."""
    at: str | None = None
    """The time at which the event arrives, for `max_age`; the default is the event's own time."""
    expect: Any
    """name the rules that match, or write `not:` with the condition that fails."""


class RuleFileSyntax(StrictModel):
    """The rule file; `rule_file_model` gives the model with the gates in its rules."""

    model_config = ConfigDict(defer_build=True)

    version: Literal[1]
    """begin the file with `version: 1`."""
    defaults: Defaults = Defaults()
    """The defaults of rules."""
    filters: FilterWidth = "safe"
    """What Event Grid filters compare: `safe` event types and subjects, `narrow` also keys inside `data`."""
    endpoints: EndpointList | None = None
    """The endpoints that a value from an event may name: patterns such as `fraud-*`; `"*"` allows all."""
    workspaces: dict[Name, str] = Field(default_factory=dict)
    """The allow-list: events from other workspaces are refused."""
    connections: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """The services that steps use, by name."""
    rules: Annotated[tuple[RuleSyntax, ...], Field(strict=False)]
    """list the rules, each with `id`, `event` and `do`."""
    tests: list[RuleTestSyntax] = Field(default_factory=list)
    """Tests: events, and the rules that match them."""


def rule_file_model() -> type[RuleFileSyntax]:
    """The model of the rule file, with a key in each rule for each gate that is registered."""
    return _rule_file_model(tuple(gates_in_order().items()))


@lru_cache(maxsize=4)
def _rule_file_model(gates: tuple[tuple[str, Any], ...]) -> type[RuleFileSyntax]:
    if taken := sorted(RuleSyntax.model_fields.keys() & {name for name, _ in gates}):
        raise ValueError(f"the gate '{taken[0]}' has the name of a key that every rule has: rename the gate")
    keys: dict[str, Any] = {
        name: (found | None, Field(default=None, description=getdoc(found))) for name, found in gates
    }
    rule: Any = create_model("RuleSyntax", __base__=RuleSyntax, __doc__="One rule.", **keys)
    rules: Any = (tuple[rule, ...], Field(strict=False))
    return create_model("RuleFileSyntax", __base__=RuleFileSyntax, __doc__="The rule file.", rules=rules)
