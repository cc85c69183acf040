"""The list of allowed names, such as `endpoints`, for steps whose target comes from the event.

A target that is fixed in the rule needs no entry. If it comes from the event, the step's own list
applies, or else the list of the file; without a list the file does not load.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlevents.actions.action import Action, action
from mlevents.actions.allowed_target import Target
from mlevents.errors import PermanentError
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, find_roots, render_value
from mlevents.gates.given_names import list_run_time_roots
from mlevents.matching.condition_tree import FailedCondition
from mlevents.registry import Registry
from mlevents.rules.model import Rule, Step
from mlevents.yamlfile.positions import PathProblem, join_path


def check_allowed_names(
    target: Target, written: Mapping[str, Any], file: Mapping[str, Any]
) -> Iterator[PathProblem]:
    """The problems of the list that applies to a step, each with its path below `with`."""
    own = written.get(target.section)
    for place, text in _find_texts(own, target.section):
        if "${" in text:
            yield (
                place,
                f"'{text}' is an expression: write fixed names, because an event must not change the list",
            )
    parameter = target.open(written)
    if parameter is None or own is not None or file.get(target.section) is not None:
        return
    remedy = (
        f"list the allowed names under `{target.section}` at the top of the file, such as "
        f'`{target.section}: [fraud-*]`, or "*" to allow all'
    )
    if written.get(parameter):
        yield parameter, f"'{written[parameter]}' comes from the event: {remedy}"
    else:
        yield "", f"'{parameter}' is missing, so it comes from the event: {remedy}"


def apply_allowed_names(
    step: Step, file: Mapping[str, Sequence[str]], actions: Registry[type[Action]]
) -> dict[str, Any]:
    """The step's parameters with the list that applies; without a list if the target is fixed in the rule."""
    target = actions.find(step.uses).target
    if target is None:
        return step.with_
    others = {name: value for name, value in step.with_.items() if name != target.section}
    if target.open(others) is None:
        return others
    own = step.with_.get(target.section)
    return {**others, target.section: list(file[target.section]) if own is None else own}


def find_refusal(rule: Rule, event: Event) -> FailedCondition | None:
    """The first name from the event that is not allowed, or None; names known only later are left out.

    `path` is the path of the list, `wanted` are its patterns, `found` is the name.
    """
    for step in rule.steps:
        target = action.find(step.uses).target
        if target and target.section in step.with_ and (name := _find_name(target, step, event)):
            patterns = step.with_[target.section]
            patterns = [patterns] if isinstance(patterns, str) else list(patterns)
            if target.refusal(name, patterns):
                return FailedCondition(target.section, patterns, name)
    return None


def describe_refusal(rule: Rule, failed: FailedCondition) -> str:
    """The message about a refusal, with the remedy."""
    targets = (action.find(step.uses).target for step in rule.steps)
    target = next(one for one in targets if one and one.section == failed.path)
    return f"{failed.path}: {target.refusal(failed.found, failed.wanted)}"


def _find_name(target: Target, step: Step, event: Event) -> str | None:
    """The name that the step will use; None if it is not known yet, or if there is none.

    A value that is missing or is not a name fails the step before it changes anything.
    """
    parameters = {name: step.with_.get(name) for name in target.parameters}
    try:
        if find_roots([parameters, step.if_]) & list_run_time_roots():
            return None
        if step.if_ is not None and not render_value(step.if_, event.names):
            return None
        return target.name(render_value(parameters, event.names), event.names)
    except (ExpressionError, PermanentError, ValueError):
        return None


def _find_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_texts(item, join_path(path, index))
