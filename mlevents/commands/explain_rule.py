"""Prints one rule for one event: the conditions, the gates, the steps with their values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlevents.commands.command import print_line
from mlevents.commands.tag_case import find_other_cases
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, find_names_below, render_value
from mlevents.gates.gate import AnyGate
from mlevents.matching.match import RuleMatch
from mlevents.matching.match_trace import TraceLine, trace_conditions
from mlevents.rules.allowed_names import describe_refusal, find_refusal
from mlevents.rules.model import Rule, Step

CONDITION_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
INDENT = "      "

type MarkedText = tuple[bool | None, str]
"""Whether it holds, and its text; None if that is not known before the response runs."""


@dataclass(frozen=True, slots=True)
class ExplainContext:
    """When a rule is asked: the time, and how many responses may cause one another."""

    now: datetime
    max_depth: int


def print_rule(match: RuleMatch[Rule], event: Event, moment: ExplainContext) -> None:
    """Print what the rule says to the event: at length where it asks for events of this kind."""
    rule, failed = match.rule, match.failed
    mode = "" if rule.mode == "live" else f" ({rule.mode})"
    if failed:
        why = f"{failed.path}: wanted {format_value(failed.wanted)}, found {format_found(failed.found)}"
        print_line("  ", CONDITION_MARKS[False], f" {rule.id}{mode}: ", (why, "dim"))
    else:
        print_line("  ", CONDITION_MARKS[True], f" {rule.id}{mode}")
    if match.kind and rule.where:
        for line in trace_conditions(rule.where, event.names):
            _show_line(line)
        for hint in find_other_cases(rule.where, event.names):
            print_line(INDENT, ("! ", "yellow"), hint)
    if match.matches:
        for holds, text in preview_gates(rule, event, moment):
            print_line(INDENT, CONDITION_MARKS[holds], f" {text}")
        for number, step in enumerate(rule.steps, 1):
            _show_step(number, step, event)


def _show_line(line: TraceLine) -> None:
    indent = INDENT + "  " * line.depth
    if line.holds is None:
        print_line(indent, line.name)
    elif line.wanted is None:
        item = "" if line.found is None else f": {format_value(line.found)}"
        print_line(indent, CONDITION_MARKS[line.holds], f" {line.name}", (item, "dim"))
    else:
        found = (format_found(line.found), "dim" if line.holds else "bold")
        print_line(indent, CONDITION_MARKS[line.holds], f" {line.name} {_condition(line.wanted)}: ", found)


def preview_gates(rule: Rule, event: Event, moment: ExplainContext) -> Iterator[MarkedText]:
    """The gates that the event would meet, in their order, with what they would say."""
    if rule.mode == "shadow":
        yield False, "mode shadow: the response is recorded, but no step runs"
    if event.depth + 1 > moment.max_depth:
        yield False, f"depth {event.depth + 1}: at most {moment.max_depth} responses may cause one another"
    told = [(name, gate, gate.preview(event, moment.now)) for name, gate in rule.gates.items()]
    for name, _, preview in told:
        if preview:
            yield preview[0], f"{name}{preview[1]}"
    if failed := find_refusal(rule, event):
        yield False, f"refused: {describe_refusal(rule, failed)}"
    for name, gate, preview in told:
        if preview is None:
            yield None, f"{name} {_parameters(gate, event)}: checked when the response runs"


def _parameters(gate: AnyGate, event: Event) -> str:
    """The parameters of a gate, filled in as far as the event can."""
    written = gate.model_dump(exclude_none=True)
    if not isinstance(written, dict):
        return _value(written, event)[1]
    return ", ".join(f"{key} {_value(said, event)[1]}" for key, said in written.items())


def _show_step(number: int, step: Step, event: Event) -> None:
    name = "" if step.id == step.uses else f"{step.id}: "
    print_line(INDENT, f"{number}. {name}", (step.uses, "bold"))
    parameters: Mapping[str, Any] = step.with_ if step.if_ is None else {"if": step.if_, **step.with_}
    for key, value in parameters.items():
        holds, text = _value(value, event)
        mark = CONDITION_MARKS[False] if holds is False else " "
        print_line(INDENT, " ", mark, f" {key}: {text}")


def _value(value: Any, event: Event) -> MarkedText:
    """A value filled in; what waits for a step, or cannot be filled in, as it is written."""
    try:
        if waits := sorted(find_names_below(value, "steps")):
            return None, f"{format_value(value)} (waits for {', '.join(waits)})"
        return True, format_value(render_value(value, event.names))
    except ExpressionError as error:
        return False, f"{format_value(value)} ({error}: the response fails before its first step)"


def _condition(wanted: Any) -> str:
    """A condition as written, in the operator's words."""
    if isinstance(wanted, list):
        return f"in {format_value(wanted)}"
    if not isinstance(wanted, dict):
        return f"equals {format_value(wanted)}"
    return " and ".join(
        name if value is True else f"{name} {format_value(value)}" for name, value in wanted.items()
    )


def format_found(value: object) -> str:
    """What was found in an event, in a word for people."""
    return "nothing" if value is None else format_value(value)


def format_value(value: object) -> str:
    """A value as JSON writes it."""
    return json.dumps(value, ensure_ascii=False)
