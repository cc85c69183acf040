"""One rule and one event, told to people: the conditions, the gates, the steps with their values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlevents.commands.command import say
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, find_names_below, render_value
from mlevents.gates.gate import AnyGate
from mlevents.matching.match import RuleMatch
from mlevents.matching.match_trace import TraceLine, trace_conditions
from mlevents.rules.allowed_names import describe_refusal, find_refusal
from mlevents.rules.model import Rule, Step

MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
INDENT = "      "

type Told = tuple[bool | None, str]
"""A mark, and what it marks: None for what cannot be told beforehand."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a rule is asked: the time, and how many responses may cause one another."""

    now: datetime
    max_depth: int


def show_rule(match: RuleMatch[Rule], event: Event, moment: Moment) -> None:
    """Print what the rule says to the event: at length where it asks for events of this kind."""
    rule, failed = match.rule, match.failed
    mode = "" if rule.mode == "live" else f" ({rule.mode})"
    if failed:
        why = f"{failed.path}: wanted {as_text(failed.wanted)}, found {found_text(failed.found)}"
        say("  ", MARKS[False], f" {rule.id}{mode}: ", (why, "dim"))
    else:
        say("  ", MARKS[True], f" {rule.id}{mode}")
    if match.kind and rule.where:
        for line in trace_conditions(rule.where, event.names):
            _show_line(line)
    if match.matches:
        for holds, text in gates(rule, event, moment):
            say(INDENT, MARKS[holds], f" {text}")
        for number, step in enumerate(rule.steps, 1):
            _show_step(number, step, event)


def _show_line(line: TraceLine) -> None:
    indent = INDENT + "  " * line.depth
    if line.holds is None:
        say(indent, line.name)
    elif line.wanted is None:
        say(indent, MARKS[line.holds], f" {line.name}")
    else:
        found = (found_text(line.found), "dim" if line.holds else "bold")
        say(indent, MARKS[line.holds], f" {line.name} {_condition(line.wanted)}: ", found)


def gates(rule: Rule, event: Event, moment: Moment) -> Iterator[Told]:
    """The gates that the event would meet, in their order, with what they would say."""
    if rule.mode == "shadow":
        yield False, "mode shadow: recorded, and nothing is done"
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
    say(INDENT, f"{number}. {name}", (step.uses, "bold"))
    parameters: Mapping[str, Any] = step.with_ if step.if_ is None else {"if": step.if_, **step.with_}
    for key, value in parameters.items():
        holds, text = _value(value, event)
        mark = MARKS[False] if holds is False else " "
        say(INDENT, " ", mark, f" {key}: {text}")


def _value(value: Any, event: Event) -> Told:
    """A value filled in; what waits for a step, or cannot be filled in, as it is written."""
    try:
        if waits := sorted(find_names_below(value, "steps")):
            return None, f"{as_text(value)} (waits for {', '.join(waits)})"
        return True, as_text(render_value(value, event.names))
    except ExpressionError as error:
        return False, f"{as_text(value)} ({error}: the response fails before its first step)"


def _condition(wanted: Any) -> str:
    """A condition as written, in the operator's words."""
    if isinstance(wanted, list):
        return f"in {as_text(wanted)}"
    if not isinstance(wanted, dict):
        return f"equals {as_text(wanted)}"
    return " and ".join(
        name if value is True else f"{name} {as_text(value)}" for name, value in wanted.items()
    )


def found_text(value: object) -> str:
    """What was found in an event, in a word for people."""
    return "nothing" if value is None else as_text(value)


def as_text(value: object) -> str:
    """A value as JSON writes it."""
    return json.dumps(value, ensure_ascii=False)
