"""Serialises a rule's steps and gates into a response, with the connections and files that they name."""

from collections.abc import Container, Iterable, Mapping

from mlevents.actions.action import action
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, find_roots, find_texts, render_value
from mlevents.gates.gate import AnyGate
from mlevents.gates.given_names import list_run_time_roots
from mlevents.gates.written_rule import WrittenRule
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.step_plan import RetryPlan, StepPlan
from mlevents.rules.model import Rule, Step
from mlevents.services.connection import is_implicit


def plan_step(step: Step) -> StepPlan:
    """The step as it travels, with what its action declares."""
    chosen = action.find(step.uses)
    return StepPlan(
        id=step.id,
        uses=step.uses,
        retry=RetryPlan(step.retry.attempts, step.retry.first, step.retry.max),
        with_=step.with_,
        if_=step.if_,
        timeout=step.timeout,
        orchestration=chosen.orchestration,
        deferrable=chosen.deferrable,
        notifies=chosen.notifies,
    )


def fill_gates(gates: Mapping[str, AnyGate], event: Event) -> dict[str, Json]:
    """The gates that look later, with the event's values; raises ExpressionError for a missing one."""
    later = {name: one for name, one in gates.items() if one.stage != "delivery"}
    return {name: one.fill(event.names) for name, one in later.items()}


def select_delivery_gates(gates: Mapping[str, AnyGate]) -> dict[str, Json]:
    """The gates that may object to an event by itself, such as by its age, as JSON."""
    objecting = {
        name: one
        for name, one in gates.items()
        if type(one).objection_to_event is not AnyGate.objection_to_event
    }
    return {name: one.model_dump(mode="json", exclude_none=True) for name, one in objecting.items()}


def write_rule(rule: Rule, kind: str) -> WrittenRule | None:
    """The rule as written, where one of its gates matches the event again; the event matched as this kind."""
    matching = [one.position for one in rule.gates.values() if one.matches_again]
    if not matching:
        return None
    later = {name: one for name, one in rule.gates.items() if one.position > matching[0]}
    gates = {
        name: one.model_dump(mode="json", exclude_none=True)
        for name, one in later.items()
        if one.stage != "delivery"
    }
    return WrittenRule(rule.event, kind, rule.where.written if rule.where else None, gates)


def select_named[T](
    known: Mapping[str, T], steps: Iterable[Step], gates: Mapping[str, AnyGate] | None = None
) -> dict[str, T]:
    """The connections or files that these steps and gates name, or may need: a response carries no others."""
    written = [*(step.with_ for step in steps), *(gate.model_dump() for gate in (gates or {}).values())]
    names = {text for one in written for text in find_texts(one)}
    return {name: one for name, one in known.items() if name in names or _is_implicit(one)}


def select_connections(known: Mapping[str, Json], names: Container[str]) -> dict[str, Json]:
    """The connections with these names, and those that a step may need without naming them."""
    return {name: one for name, one in known.items() if name in names or is_implicit(one)}


def _is_implicit(one: object) -> bool:
    return isinstance(one, Mapping) and is_implicit(one)


def find_missing_value(steps: Iterable[Step | StepPlan], event: Event) -> str | None:
    """What the event lacks that a step needs, found before any step is performed."""
    known_later = list_run_time_roots()
    for step in steps:
        for text in find_texts([step.with_, step.if_]):
            try:
                if not find_roots(text) & known_later:
                    render_value(text, event.names)
            except ExpressionError as error:
                return f"step '{step.id}': {error}"
    return None
