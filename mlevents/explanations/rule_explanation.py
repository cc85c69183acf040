"""One rule explained for one event: the conditions, the gates, the steps with their values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlevents.events import Event
from mlevents.explanations.tag_case import find_other_cases
from mlevents.explanations.value_format import format_condition, format_found, format_value
from mlevents.expressions.interpolation import ExpressionError, find_names_below, find_roots, render_value
from mlevents.gates.gate import AnyGate
from mlevents.gates.given_names import list_run_time_roots
from mlevents.matching.match import RuleMatch
from mlevents.matching.match_trace import TraceLine, trace_conditions
from mlevents.rules.allowed_names import describe_refusal, find_refusal
from mlevents.rules.model import Rule, Step


@dataclass(frozen=True, slots=True)
class ExplainContext:
    """When a rule is asked: the time, and how many responses may cause one another."""

    now: datetime
    max_depth: int


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line of an explanation: `holds` is None for a heading, and for what only a response can know.

    `found` is what the event has, in words.
    """

    text: str
    holds: bool | None = None
    found: str | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One step of a rule that matches; `values` are its parameters filled in."""

    id: str
    uses: str
    values: tuple[ExplainedLine, ...]


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """What one rule says to one event.

    `because` is the first condition that failed. `conditions` are there when the rule asks for events of this
    kind, `gates` and `steps` when it matches.
    """

    id: str
    mode: str
    matches: bool
    because: str | None
    conditions: tuple[ExplainedLine, ...] = ()
    hints: tuple[str, ...] = ()
    gates: tuple[ExplainedLine, ...] = ()
    steps: tuple[ExplainedStep, ...] = ()


def explain_rule(match: RuleMatch[Rule], event: Event, moment: ExplainContext) -> RuleExplanation:
    """What the rule says to the event: at length where it asks for events of this kind."""
    rule, failed = match.rule, match.failed
    because = None
    if failed:
        because = f"{failed.path}: wanted {format_value(failed.wanted)}, found {format_found(failed.found)}"
    asked = rule.where if match.kind else None
    return RuleExplanation(
        rule.id,
        rule.mode,
        match.matches,
        because,
        tuple(map(describe_line, trace_conditions(asked, event.names))) if asked else (),
        tuple(find_other_cases(asked, event.names)),
        tuple(preview_gates(rule, event, moment)) if match.matches else (),
        tuple(_explain_step(step, event) for step in rule.steps) if match.matches else (),
    )


def describe_line(line: TraceLine) -> ExplainedLine:
    if line.holds is None:
        return ExplainedLine(line.name, depth=line.depth)
    if line.wanted is None:
        found = None if line.found is None else format_value(line.found)
        return ExplainedLine(line.name, line.holds, found, line.depth)
    text = f"{line.name} {format_condition(line.wanted)}"
    return ExplainedLine(text, line.holds, format_found(line.found), line.depth)


def preview_gates(rule: Rule, event: Event, moment: ExplainContext) -> Iterator[ExplainedLine]:
    """The gates that the event would meet, in their order, with what they would say."""
    if rule.mode == "shadow":
        yield ExplainedLine("mode shadow: the response is recorded, but no step runs", False)
    if event.depth + 1 > moment.max_depth:
        text = f"depth {event.depth + 1}: at most {moment.max_depth} responses may cause one another"
        yield ExplainedLine(text, False)
    for name, gate in rule.gates.items():
        preview = gate.preview(event, moment.now)
        if preview:
            yield ExplainedLine(f"{name}{preview[1]}", preview[0])
        else:
            yield ExplainedLine(f"{name} {_parameters(gate, event)}: checked when the response runs")
    if failed := find_refusal(rule, event):
        yield ExplainedLine(f"refused: {describe_refusal(rule, failed)}", False)


def _parameters(gate: AnyGate, event: Event) -> str:
    """The parameters of a gate, filled in as far as the event can."""
    written = gate.model_dump(exclude_none=True)
    if not isinstance(written, dict):
        return _explain_value(written, event).text
    return ", ".join(f"{key} {_explain_value(value, event).text}" for key, value in written.items())


def _explain_step(step: Step, event: Event) -> ExplainedStep:
    parameters: Mapping[str, Any] = step.with_ if step.if_ is None else {"if": step.if_, **step.with_}
    values = {key: _explain_value(value, event) for key, value in parameters.items()}
    lines = (ExplainedLine(f"{key}: {one.text}", one.holds) for key, one in values.items())
    return ExplainedStep(step.id, step.uses, tuple(lines))


def _explain_value(value: Any, event: Event) -> ExplainedLine:
    """A value filled in; what waits for a step, or cannot be filled in, as it is written."""
    try:
        if waits := sorted(find_names_below(value, "steps")):
            return ExplainedLine(f"{format_value(value)} (waits for {', '.join(waits)})")
        if find_roots(value) & list_run_time_roots():
            return ExplainedLine(f"{format_value(value)} (known when the step runs)")
        return ExplainedLine(format_value(render_value(value, event.names)), True)
    except ExpressionError as error:
        text = f"{format_value(value)} ({error}: the response fails before its first step)"
        return ExplainedLine(text, False)
