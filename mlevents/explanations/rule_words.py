"""A rule in words: when it fires, what it waits for, what it does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlevents.duration import format_duration
from mlevents.explanations.rule_explanation import ExplainedLine
from mlevents.explanations.value_format import format_condition, format_value
from mlevents.gates.gate import AnyGate
from mlevents.matching.condition_tree import AnyOf, FieldCondition, Node, Not, conjuncts
from mlevents.rules.model import Rule, Step


@dataclass(frozen=True, slots=True)
class RuleWords:
    """One rule for people: `when` are its events and conditions, `gates` and `steps` as they are written."""

    id: str
    description: str
    mode: str
    event: tuple[str, ...]
    when: tuple[ExplainedLine, ...]
    gates: tuple[str, ...]
    steps: tuple[str, ...]
    on_failure: tuple[str, ...]


def describe_rule(rule: Rule) -> RuleWords:
    """The rule in words."""
    return RuleWords(
        rule.id,
        rule.description,
        rule.mode,
        rule.event or tuple(filter(None, (own.describe_occasion() for own in rule.gates.values()))),
        tuple(_describe_nodes(rule.where.conjuncts(), 0)) if rule.where else (),
        tuple(f"{name} {format_gate(gate)}" for name, gate in rule.gates.items()),
        tuple(map(describe_step, rule.steps)),
        tuple(map(describe_step, rule.on_failure)),
    )


def format_gate(gate: AnyGate) -> str:
    """What a gate wants: a duration or an expression, or its parameters."""
    wanted = gate.describe()
    if not isinstance(wanted, dict):
        return _format(wanted)
    values = {key: value for key, value in wanted.items() if value not in ("", [], {}, ())}
    return ", ".join(f"{key} {_format_parameter(gate, key, value)}" for key, value in values.items())


def _format_parameter(gate: AnyGate, name: str, written: object) -> str:
    """Of all parameters, only durations are numbers that JSON has as text."""
    value = getattr(gate, name, None)
    if isinstance(value, float) and isinstance(written, str):
        return format_duration(value)
    return _format(written)


def _format(value: object) -> str:
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else format_value(value)


def describe_step(step: Step) -> str:
    """A step in one line: its action, and the parameters that are texts."""
    told = [f"{name} {text}" for name, text in step.with_.items() if isinstance(text, str)]
    only = f" if {step.if_}" if step.if_ is not None else ""
    return ", ".join([step.uses, *told]) + only


def _describe_nodes(nodes: Iterable[Node], depth: int) -> Iterator[ExplainedLine]:
    for node in nodes:
        if isinstance(node, FieldCondition):
            name = ".".join(node.keys) or "item"
            yield ExplainedLine(f"{name} {format_condition(node.wanted)}", depth=depth)
        elif isinstance(node, AnyOf):
            yield ExplainedLine("any of these", depth=depth)
            yield from _describe_nodes(node.nodes, depth + 1)
        elif isinstance(node, Not):
            yield ExplainedLine("not", depth=depth)
            yield from _describe_nodes(conjuncts(node.node), depth + 1)
        else:
            yield ExplainedLine("all of these", depth=depth)
            yield from _describe_nodes(conjuncts(node), depth + 1)
