"""Whose tags are compared: the models that a rule with `model.tagged` can match, in the workspaces listed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.canonical import canonical_resource_id
from mlevents.events.envelope import workspace
from mlevents.events.model_tagged import ModelTagged
from mlevents.matching.condition_tree import FieldCondition
from mlevents.matching.derivation import derive_once
from mlevents.matching.where import Where
from mlevents.rules.model import Rule, Rules


@dataclass(frozen=True, slots=True)
class TagScope:
    """The workspaces (ARM ids) that are looked at, and the conditions of the rules that ask for it."""

    workspaces: tuple[str, ...]
    conditions: tuple[Where | None, ...]

    def covers(self, topic: str, model: str) -> bool:
        """Whether some rule may match a model of this name in this workspace."""
        names = {"workspace": workspace(topic), "model": {"name": model}}
        return any(_may_hold(one, names, {("model", "name")}) for one in self.conditions)


@derive_once
def find_tag_scope(rules: Rules) -> TagScope:
    """What has to be looked at; no workspace where no rule asks for `model.tagged` by name."""
    conditions = tuple(where for rule in rules.rules for where in _list_conditions(rule))
    found = {
        canonical_resource_id(topic): topic
        for topic in rules.workspaces.values()
        if any(_may_hold(one, {"workspace": workspace(topic)}, set()) for one in conditions)
    }
    return TagScope(tuple(found.values()), conditions)


def asks_for_tags(rule: Rule) -> bool:
    """Whether a rule asks for `model.tagged`, or a gate of it expects that."""
    return any(True for _ in _list_conditions(rule))


def _list_conditions(rule: Rule) -> Iterator[Where | None]:
    if rule.mode == "disabled":
        return
    if ModelTagged.kind in rule.event:
        yield rule.where
    for own in rule.gates.values():
        if (expected := own.expected_events) and ModelTagged.kind in expected.event:
            yield expected.where


def _may_hold(where: Where | None, names: Mapping[str, Any], known: set[tuple[str, ...]]) -> bool:
    """Whether the conditions on the workspace, and on the fields that are known, hold."""
    asked = (part for part in (where.conjuncts() if where else ()) if isinstance(part, FieldCondition))
    return all(part.holds(names) for part in asked if part.keys[0] == "workspace" or part.keys in known)
