"""Prints an explanation of one event: each rule, its conditions, its gates and its steps."""

from mlevents.commands.command import print_line
from mlevents.explanations.event_explanation import EventExplanation
from mlevents.explanations.rule_explanation import (
    ExplainContext,
    ExplainedLine,
    ExplainedStep,
    RuleExplanation,
    explain_rule,
)

CONDITION_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}
INDENT = "      "


def print_explanation(explained: EventExplanation, moment: ExplainContext) -> None:
    """Print what every rule says to the event, and whether it would get through to the app."""
    event = explained.event
    print_line((event.type, "bold"), f"  {event.subject}  ", (event.id, "dim"))
    for match in explained.matches:
        print_rule(explain_rule(match, event, moment))
    if not explained.allowed:
        refused = "  ! refused: the rule file lists no workspace with the topic "
        print_line((refused, "yellow"), repr(event.topic))
    if explained.rejection:
        print_line(("  ! Event Grid would not deliver it: ", "yellow"), explained.rejection)


def print_rule(rule: RuleExplanation) -> None:
    """Print what the rule says to the event."""
    mode = "" if rule.mode == "live" else f" ({rule.mode})"
    if rule.because:
        print_line("  ", CONDITION_MARKS[False], f" {rule.id}{mode}: ", (rule.because, "dim"))
    else:
        print_line("  ", CONDITION_MARKS[True], f" {rule.id}{mode}")
    for line in rule.conditions:
        _print_condition(line)
    for hint in rule.hints:
        print_line(INDENT, ("! ", "yellow"), hint)
    for line in rule.gates:
        print_line(INDENT, CONDITION_MARKS[line.holds], f" {line.text}")
    for number, step in enumerate(rule.steps, 1):
        _print_step(number, step)


def _print_condition(line: ExplainedLine) -> None:
    indent = INDENT + "  " * line.depth
    if line.holds is None:
        print_line(indent, line.text)
    else:
        found = "" if line.found is None else f": {line.found}"
        print_line(
            indent, CONDITION_MARKS[line.holds], f" {line.text}", (found, "dim" if line.holds else "bold")
        )


def _print_step(number: int, step: ExplainedStep) -> None:
    name = "" if step.id == step.uses else f"{step.id}: "
    print_line(INDENT, f"{number}. {name}", (step.uses, "bold"))
    for line in step.values:
        mark = CONDITION_MARKS[False] if line.holds is False else " "
        print_line(INDENT, " ", mark, f" {line.text}")
