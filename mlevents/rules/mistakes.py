"""Reports what is valid and cannot be meant: errors where it never works, warnings where it may be meant."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlevents.events.model_tagged import ModelTagged
from mlevents.matching.where import Where, list_expression_names, list_names
from mlevents.rules.condition_mistakes import Mistake, find_condition_mistakes
from mlevents.rules.expression_mistakes import find_if_mistakes, find_value_mistakes
from mlevents.rules.report import Report
from mlevents.rules.rule_check import FAILURE_NAMES, find_event_kinds
from mlevents.rules.rule_mistakes import find_duplicate_rules, find_missing_on_failure, find_rule_mistakes
from mlevents.rules.rule_source import DEFAULTS, RuleSource
from mlevents.rules.vocabulary import Vocabulary
from mlevents.rules.written_conditions import list_conditions
from mlevents.yamlfile.positions import join_path

_STEP_LISTS = ("do", "on_failure")
_GATE_VALUES = ("dedupe", "order")


def report_mistakes(
    source: RuleSource,
    wheres: Sequence[Where | None],
    workspaces: Mapping[str, str],
    vocabulary: Vocabulary,
    report: Report,
) -> None:
    """Report them for each rule and for the file; `wheres` are the bound conditions of the rules."""
    rules = written if isinstance(written := source.written.get("rules"), list) else []
    bound = iter(wheres)
    for index, rule in enumerate(rules):
        if report.is_full:
            return
        if isinstance(rule, dict):
            path, where = join_path("rules", index), next(bound)
            _report(_check_rule(rule, where, workspaces, vocabulary), path, report)
    _report(find_duplicate_rules(rules), "", report)
    for part in source.parts:
        defaults = part.document.value.get(DEFAULTS)
        if isinstance(defaults, dict):
            names = {**list_expression_names(("*",)), **FAILURE_NAMES}
            _report(_check_steps(defaults, names), part.defaults, report)


def report_omissions(source: RuleSource, report: Report) -> None:
    """Report what a file without errors lacks."""
    documents = [part.document.value for part in source.parts]
    _report(find_missing_on_failure(documents, source.written["rules"]), "", report)


def _check_rule(
    rule: Mapping[str, Any], where: Where | None, workspaces: Mapping[str, str], vocabulary: Vocabulary
) -> Iterable[Mistake]:
    kinds = find_event_kinds(rule.get("event"))
    names = list_names(kinds)
    for condition in list_conditions(rule.get("where"), names, "where"):
        yield from find_condition_mistakes(condition, workspaces)
    for gate in _GATE_VALUES:
        yield from find_value_mistakes(rule.get(gate), names, gate)
    yield from _check_steps(rule, {**list_expression_names(kinds), **FAILURE_NAMES})
    yield from find_rule_mistakes(rule, kinds, where, vocabulary.actions)
    if ModelTagged.kind in kinds and not workspaces:
        fact = "the tags of models are compared in the listed workspaces alone, and none is listed"
        yield Mistake("event", f"{fact}: add `workspaces`", is_error=False)


def _check_steps(written: Mapping[str, Any], names: Mapping[str, Any]) -> Iterable[Mistake]:
    for section in _STEP_LISTS:
        steps = written.get(section)
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict):
                path = join_path(section, index)
                for key in ("with", "if"):
                    yield from find_value_mistakes(step.get(key), names, join_path(path, key))
                yield from find_if_mistakes(step.get("if"), names, join_path(path, "if"))


def _report(mistakes: Iterable[Mistake], path: str, report: Report) -> None:
    for mistake in mistakes:
        place = f"{path}.{mistake.path}" if path else mistake.path
        (report.error if mistake.is_error else report.warn)(place, mistake.text)
        if report.is_full:
            return
