"""Conditions that are valid and cannot mean what they say, such as `name: churn-*` without `glob`."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mlevents.conditions.condition import operator
from mlevents.events.envelope import workspace
from mlevents.events.known_values import KNOWN_VALUES, PLAIN_NAMES, STATUS_SYNONYMS, KnownValues
from mlevents.registry import UnknownNameError, did_you_mean
from mlevents.rules.anchored_expressions import find_anchor_mistake
from mlevents.rules.connections import UNSET_PLACEHOLDER
from mlevents.rules.written_conditions import WrittenCondition

EQUALITY = ("equals", "in", "not-in")
_PARTS = ("prefix", "suffix", "contains")
_PLAIN = (*EQUALITY, *_PARTS)
_OUTER_STAR = re.compile(r"^\*|\*$")
_WILDCARD = re.compile(r"[*?]|\[[^\]]+\]")
_COMPARISON = re.compile(r"\s*(>=|<=|==|!=|=>|=<|>|<|=)\s*([-+]?[0-9]+(?:\.[0-9]+)*)\s*")
_COMPARISONS = {">=": "gte", "=>": "gte", "<=": "lte", "=<": "lte", ">": "gt", "<": "lt"}


class Mistake(NamedTuple):
    """What is wrong at a path; without `is_error` it may be meant, and is a warning."""

    path: str
    text: str
    is_error: bool = True


def find_condition_mistakes(condition: WrittenCondition, workspaces: Mapping[str, str]) -> Iterator[Mistake]:
    """What is wrong in one condition; `workspaces` is the allow-list, by alias."""
    yield from _find_wildcards(condition)
    yield from _find_comparisons(condition)
    yield from _find_unknown_values(condition)
    yield from _find_workspace_mistakes(condition, workspaces)
    if condition.keys == ("model", "name") and condition.operator in EQUALITY:
        for text in condition.texts:
            if ":" in text:
                name, _, version = text.partition(":")
                remedy = f'write `name: {name}` and `version: "{version}"`'
                yield Mistake(condition.path, f"'{text}' is a name with a version: {remedy}")
    if condition.operator == "matches":
        for text, is_error in find_anchor_mistake(condition.operand):
            yield Mistake(condition.path, text, is_error)


def _find_wildcards(condition: WrittenCondition) -> Iterator[Mistake]:
    if condition.operator not in _PLAIN or condition.kind not in ("text", "list"):
        return
    is_name = condition.keys in PLAIN_NAMES
    for text in condition.texts:
        found = (_WILDCARD if is_name else _OUTER_STAR).search(text)
        if found is None or (condition.operator == "equals" and not condition.is_short and not is_name):
            continue
        yield Mistake(condition.path, _describe_wildcard(condition, text, is_name), is_name)


def _describe_wildcard(condition: WrittenCondition, text: str, is_name: bool) -> str:
    fact = f"'{text}' is compared as plain text, so '*' matches only itself"
    if "*" not in text:
        fact = f"'{text}' is compared as plain text, not as a pattern"
    if condition.operator in _PARTS:
        plain = text.strip("*")
        remedy = f"write `{{{condition.operator}: {plain}}}`" if plain and "*" not in plain else ""
        return f"{fact}: {remedy or 'write `{present: true}`'}"
    if not text.strip("*"):
        return f"{fact}: write `{{present: true}}`"
    negated = f'`not: {{glob: "{text}"}}`'
    remedy = f"write {negated}" if condition.operator == "not-in" else f'write `{{glob: "{text}"}}`'
    literal = "" if is_name else f', or `{{equals: "{text}"}}` for this very text'
    return f"{fact}: {remedy}{literal}"


def _find_comparisons(condition: WrittenCondition) -> Iterator[Mistake]:
    if condition.operator not in EQUALITY or condition.kind != "text":
        return
    if condition.operator == "equals" and not condition.is_short:
        return
    for text in condition.texts:
        if found := _COMPARISON.fullmatch(text):
            yield Mistake(condition.path, _describe_comparison(condition, text, found[1], found[2]))


def _describe_comparison(condition: WrittenCondition, text: str, sign: str, number: str) -> str:
    name = _COMPARISONS.get(sign)
    version = condition.keys[-1] == "version" or number.count(".") > 1
    if version:
        remedy = f'write `{{version: "{text.strip()}"}}`'
    elif name:
        remedy = f"write `{{{name}: {number}}}`"
    else:
        remedy = f'write `"{number}"`' if sign != "!=" else f'write `{{not-in: ["{number}"]}}`'
    return f"'{text}' is compared as plain text: {remedy}, or `{{equals: \"{text}\"}}` for this very text"


def _find_unknown_values(condition: WrittenCondition) -> Iterator[Mistake]:
    known = KNOWN_VALUES.get(condition.keys)
    if known is None:
        return
    if condition.operator in EQUALITY:
        for text in condition.texts:
            if text.lower() not in map(str.lower, known.values) and not _WILDCARD.search(text):
                yield _describe_unknown_value(condition, text, known)
        return
    try:
        bound = operator.find(condition.operator)(condition.operand)
    except (UnknownNameError, ValueError):
        return  # reported where conditions are bound
    if condition.operator not in ("present", "absent") and not any(map(bound.holds, known.values)):
        text = f"fits no value of {condition.field}: the known values are {', '.join(known.values)}"
        yield Mistake(condition.path, text, known.is_closed)


def _describe_unknown_value(condition: WrittenCondition, text: str, known: KnownValues) -> Mistake:
    other = STATUS_SYNONYMS.get(text.lower().replace("_", "").replace(" ", ""))
    synonym = other if other in known.values else None
    by_case = {value.lower(): value for value in known.values}
    near = did_you_mean(text.lower(), by_case)
    for lower, value in by_case.items():
        near = near.replace(f"'{lower}'", f"'{value}'")
    guess = f" (did you mean '{synonym}'?)" if synonym else near
    choices = "" if guess else f": the known values are {', '.join(known.values)}"
    text = f"{condition.field} is never '{text}'{guess}{choices}"
    return Mistake(condition.path, text, known.is_closed or bool(guess))


def _find_workspace_mistakes(condition: WrittenCondition, workspaces: Mapping[str, str]) -> Iterator[Mistake]:
    """Values that no listed workspace has: an alias is known in the rule file alone."""
    if condition.keys[:1] != ("workspace",) or len(condition.keys) != 2 or not workspaces:
        return
    if condition.operator not in EQUALITY:
        return
    listed = {alias: workspace(id) for alias, id in workspaces.items()}
    values = {alias: str(names.get(condition.keys[1], "")) for alias, names in listed.items()}
    if any(UNSET_PLACEHOLDER in value for value in values.values()):
        return
    for text in condition.texts:
        if text.lower() in map(str.lower, values.values()) or _WILDCARD.search(text):
            continue
        if text in values:
            remedy = f"write '{values[text]}', its {condition.keys[1]} in Azure"
            yield Mistake(condition.path, f"'{text}' is the alias of a workspace in this file: {remedy}")
        elif condition.operator != "not-in":
            choices = ", ".join(values.values())
            fact = f"no listed workspace has the {condition.keys[1]} '{text}'"
            yield Mistake(condition.path, f"{fact}, and events from others are refused: use one of {choices}")
