"""What an action changes, where the rule file lists the names that an event may give it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """What an action changes, where a value from the event may name it.

    `section` is the list of the rule file, and the action's own parameter in its place, that says which
    names a value from the event may take. `parameters` are those of which the name is made. `open` gives the
    parameter that leaves the name to the event, or None where the rule names it; `name` makes it of these
    parameters, filled in, and the event's names, and raises ValueError or PermanentError for none;
    `refusal` says why a name is on none of the patterns, or None. `given_names` are what later steps can read
    of it, besides the results of the step.
    """

    section: str
    parameters: tuple[str, ...]
    open: Callable[[Mapping[str, Any]], str | None]
    name: Callable[[Mapping[str, Any], Mapping[str, Any]], str]
    refusal: Callable[[str, Sequence[str]], str | None]
    given_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
