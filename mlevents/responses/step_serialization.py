"""A rule's steps as they travel in a response: plain JSON, and no more connections than they name."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlevents.actions.action import action
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, find_roots, render_value
from mlevents.gates.gate import AnyGate
from mlevents.orchestration.response import Step
from mlevents.rules.model import Step as RuleStep


def as_json(step: RuleStep) -> Step:
    """The step as it travels, with the orchestrator that its action asks for."""
    chosen = action.find(step.uses)
    return {
        "id": step.id,
        "uses": step.uses,
        "with": step.with_,
        "if": step.if_,
        "retry": {"attempts": step.retry.attempts, "first": step.retry.first, "max": step.retry.max},
        "timeout": step.timeout,
        "orchestrator": chosen.orchestrator,
        "deferrable": chosen.deferrable,
        "notifies": chosen.notifies,
    }


def gates_as_json(gates: Mapping[str, AnyGate], event: Event) -> dict[str, Any]:
    """The gates that look later, with the event's values; raises ExpressionError for a missing one."""
    later = {name: one for name, one in gates.items() if one.stage != "delivery"}
    return {name: one.fill(event.names) for name, one in later.items()}


def used[T](known: Mapping[str, T], steps: Iterable[RuleStep]) -> dict[str, T]:
    """The connections or files that these steps name, so that a response carries no others."""
    texts = {text for step in steps for text in leaves(step.with_)}
    return {name: known[name] for name in known if name in texts}


def values_missing(steps: Iterable[RuleStep], event: Event) -> str | None:
    """What the event lacks that a step needs, found before any step is performed."""
    for step in steps:
        for text in leaves([step.with_, step.if_]):
            try:
                if not find_roots(text) & {"steps", "failure"}:
                    render_value(text, event.names)
            except ExpressionError as error:
                return f"step '{step.id}': {error}"
    return None


def leaves(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
