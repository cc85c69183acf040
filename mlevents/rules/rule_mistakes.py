"""Rules that are valid and do something else than people expect, such as an alert on every step of a run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlevents.actions.action import Action
from mlevents.conditions.present import Present
from mlevents.events.breach import TAG
from mlevents.events.parent_run import PARENT_KEYS
from mlevents.matching.condition_tree import FieldCondition
from mlevents.matching.satisfiability import can_match
from mlevents.matching.where import Where
from mlevents.registry import Registry
from mlevents.rules.condition_mistakes import Mistake
from mlevents.yamlfile.positions import join_path

_RUN_EVENTS = ("run.status_changed", "run.completed")
_ONLY_V1 = ("coefficient", "baseline", "target", "window_start", "window_end")
_KINDS_OF_RUN = {("run", "root"), ("run", "type"), ("run", "id"), ("run", "monitor_breach")}
_DRIFT = "drift.detected"
_RUN = FieldCondition("", ("run", "id"), "text", Present(True), {"present": True})
"""What every v2 drift event has, and no v1 event."""


def find_rule_mistakes(
    written: Mapping[str, Any], kinds: Sequence[str], where: Where | None, actions: Registry[type[Action]]
) -> Iterator[Mistake]:
    """What is unexpected in one rule, by path below the rule: all of it may be meant."""
    fields = {field.keys for part in where.conjuncts() for field in part.fields()} if where else set()
    runs = [kind for kind in _RUN_EVENTS if kind in kinds]
    if runs and _notifies(written, actions):
        place = "where" if where else "event"
        if not _chooses_runs(fields):
            fact = f"{runs[0]} comes for every step and trial of a run too, so one run sends many messages"
            remedy = "add `root: true` below `where.run`, or `root: false` if steps are meant"
            yield Mistake(place, f"{fact}: {remedy}", is_error=False)
        if "run.status_changed" in runs and not _chooses_status(fields):
            fact = "run.status_changed comes for every status of a run, also for Queued and Running"
            yield Mistake(place, f"{fact}: add `status: failed` below `where.run`", is_error=False)
    if where and _DRIFT in kinds:
        yield from _find_v1_only(where)


def find_duplicate_rules(rules: Sequence[Any]) -> Iterator[Mistake]:
    """Rules with the same events, conditions and steps as an earlier rule."""
    known: dict[str, str] = {}
    for index, rule in enumerate(rules):
        if not isinstance(rule, dict) or not rule.get("do"):
            continue
        parts = {key: value for key, value in rule.items() if key not in ("id", "description")}
        content = json.dumps(parts, sort_keys=True, default=str)
        name = str(rule.get("id"))
        if (first := known.setdefault(content, name)) != name:
            fact = f"'{name}' is the same as the rule '{first}', so each event gets both responses"
            yield Mistake(join_path("rules", index), f"{fact}: remove one", is_error=False)


def find_missing_on_failure(parts: Sequence[Mapping[str, Any]], rules: Sequence[Any]) -> Iterator[Mistake]:
    """A file in which nothing happens when a response fails; `parts` are the files as written."""
    owners = [part.get("defaults") for part in parts] + list(rules)
    if rules and not any(isinstance(owner, dict) and "on_failure" in owner for owner in owners):
        fact = "no rule has `on_failure`, so no notification is sent when a response fails"
        remedy = (
            "add `defaults: {on_failure: [{uses: notify, with: {to: <connection>, "
            "template: response-failed}}]}`, or `on_failure: []` if that is meant"
        )
        yield Mistake("rules", f"{fact}: {remedy}", is_error=False)


def _notifies(written: Mapping[str, Any], actions: Registry[type[Action]]) -> bool:
    steps = written.get("do")
    names = [step.get("uses") for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return any(isinstance(name, str) and name in actions and actions.find(name).notifies for name in names)


def _chooses_runs(fields: set[tuple[str, ...]]) -> bool:
    """Whether a condition tells runs from their steps."""
    marks = {key for key in fields if len(key) == 3 and key[0] == "run"}
    named = any(key[2].lower() in PARENT_KEYS or key[2] == TAG for key in marks)
    return bool(fields & _KINDS_OF_RUN) or named


def _chooses_status(fields: set[tuple[str, ...]]) -> bool:
    return (
        ("run", "status") in fields
        or ("run", "monitor_breach") in fields
        or any(len(key) == 3 and key[2] == TAG for key in fields)
    )


def _find_v1_only(where: Where) -> Iterator[Mistake]:
    """A rule that only the retired v1 data drift can fire, unless it asks for v1 by name."""
    parts = where.conjuncts()
    fields = [field for part in parts for field in part.fields()]
    if any(field.keys == ("drift", "generation") for field in fields):
        return
    first = next((field for field in fields if field.keys[0] == "drift" and field.keys[1] in _ONLY_V1), None)
    if first is None or can_match([*parts, _RUN], (_DRIFT,)) or not can_match(parts, (_DRIFT,)):
        return
    name = ".".join(first.keys)
    fact = (
        f"only data drift v1 has {name}, and Azure retired v1 in September 2025, "
        "so the rule does not fire on a workspace of today"
    )
    yield Mistake(first.path, f"{fact}: {_REMEDY}", is_error=False)


_REMEDY = (
    "write `drift: {value: {gte: 0.3}}`, which model monitors report too, with `metric` to choose one, "
    "or add `generation: v1`"
)
