"""What a rule file needs in Azure: its distinct steps, their workspaces, and the permissions they need."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlevents.actions.action import Action, ConnectionName, action
from mlevents.actions.permissions import TAG_READS, Need
from mlevents.errors import ActionError
from mlevents.events.envelope import workspace
from mlevents.matching.condition_tree import FieldCondition
from mlevents.rules.model import Rule, Rules, Step
from mlevents.rules.references import find_references
from mlevents.rules.rule_source import DEFAULTS
from mlevents.rules.tag_scope import asks_for_tags, find_tag_scope
from mlevents.services.connection import is_implicit
from mlevents.services.permission import IDENTITY_SCOPE, WORKSPACE_SCOPE, Permission, Role
from mlevents.services.services import Services


@dataclass(slots=True)
class DistinctStep:
    """A step that one or more rules have; `workspaces` are the workspaces of these rules, name to id."""

    uses: str
    parameters: Mapping[str, Any]
    owners: list[str] = field(default_factory=list)
    workspaces: dict[str, str] = field(default_factory=dict)

    @property
    def action(self) -> type[Action]:
        """The action of the step."""
        return action.find(self.uses)

    @property
    def permission_parameters(self) -> Mapping[str, Any]:
        """The parameters that `given` of the action's permissions names."""
        return self.action.find_permission_parameters(self.parameters)

    def connections(self) -> list[str]:
        """The names of the connections that it uses, without those from expressions."""
        found = find_references(self.action, dict(self.parameters), "")
        return list(dict.fromkeys(one.text for one in found if isinstance(one.marker, ConnectionName)))


@dataclass(slots=True)
class RequiredPermissions:
    """The permissions needed on one resource: Azure's actions, who needs them, and a role with them."""

    scope: str
    resource: str
    actions: dict[str, tuple[set[str], Role]] = field(default_factory=dict)

    def add(self, element: str, permission: Permission) -> None:
        """Add a permission that an element needs."""
        for name in permission.actions:
            self.actions.setdefault(name, (set(), permission.role))[0].add(element)


def list_distinct_steps(rules: Rules) -> list[DistinctStep]:
    """The steps of the defaults and of all rules that are not disabled; equal steps count once."""
    found: dict[str, DistinctStep] = {}
    for owner, step, places in _list_steps(rules):
        key = json.dumps([step.uses, step.with_], sort_keys=True, default=str)
        named = found.setdefault(key, DistinctStep(step.uses, step.with_))
        named.owners += [] if owner in named.owners else [owner]
        named.workspaces |= places
    return list(found.values())


def list_required_permissions(rules: Rules, services: Services) -> list[RequiredPermissions]:
    """The permissions that the steps need, by resource, in the workspaces that the file lists."""
    found: dict[tuple[str, str], RequiredPermissions] = {}
    for step in list_distinct_steps(rules):
        for permission in step.action.permissions:
            if permission.needed(step.permission_parameters):
                for resource in _find_resources(step, permission, rules, services):
                    place = permission.scope, resource.lower()
                    found.setdefault(place, RequiredPermissions(permission.scope, resource)).add(
                        step.uses, permission
                    )
    for name, permission, places in (*_list_gate_permissions(rules), *_list_tag_permissions(rules)):
        for resource in places.values():
            place = permission.scope, resource.lower()
            found.setdefault(place, RequiredPermissions(permission.scope, resource)).add(name, permission)
    return list(found.values())


def find_owners(rules: Rules, need: Need) -> list[str]:
    """The rules, and `defaults`, whose steps need this permission of an action or type of connection."""
    owners: list[str] = []
    for step in list_distinct_steps(rules):
        types = [rules.connections.get(name, {}).get("type") for name in step.connections()]
        if (
            need.element == step.uses and need.permission.needed(step.permission_parameters)
        ) or need.element in types:
            owners += step.owners
    owners += [rule.id for rule in _active(rules) if need.permission in _gate_permissions(rule, need.element)]
    owners += [rule.id for rule in _active(rules) if need == TAG_READS and asks_for_tags(rule)]
    return list(dict.fromkeys(owners))


def _list_steps(rules: Rules) -> Iterator[tuple[str, Step, Mapping[str, str]]]:
    for step in rules.defaults.on_failure:
        yield DEFAULTS, step, rules.workspaces
    for rule in _active(rules):
        own = rule.on_failure if rule.on_failure != rules.defaults.on_failure else ()
        for step in (*rule.steps, *own):
            yield rule.id, step, _find_workspaces(rules, rule)


def _active(rules: Rules) -> Iterator[Rule]:
    return (rule for rule in rules.rules if rule.mode != "disabled")


def _find_workspaces(rules: Rules, rule: Rule) -> dict[str, str]:
    return {name: id for name, id in rules.workspaces.items() if _may_match_workspace(rule, id)}


def _list_gate_permissions(rules: Rules) -> Iterator[tuple[str, Permission, Mapping[str, str]]]:
    """The permissions that gates need on the workspaces of their rules."""
    for rule in _active(rules):
        for name in rule.gates:
            for permission in _gate_permissions(rule, name):
                yield name, permission, _find_workspaces(rules, rule)


def _list_tag_permissions(rules: Rules) -> Iterator[tuple[str, Permission, Mapping[str, str]]]:
    """The permission of the timer that compares tags, on the workspaces that it reads."""
    if places := find_tag_scope(rules).workspaces:
        yield TAG_READS.element, TAG_READS.permission, dict(zip(places, places, strict=True))


def _gate_permissions(rule: Rule, name: str) -> list[Permission]:
    own = rule.gates.get(name)
    return [one for one in own.permissions if one.needed(own.permission_parameters)] if own else []


def _may_match_workspace(rule: Rule, workspace_id: str) -> bool:
    """Whether an event of this workspace may match, by the conditions on the workspace alone."""
    names = {"workspace": workspace(workspace_id)}
    asked = [
        part for part in (rule.where.conjuncts() if rule.where else ()) if isinstance(part, FieldCondition)
    ]
    return all(part.holds(names) for part in asked if part.keys[0] == "workspace")


def _find_resources(
    step: DistinctStep, permission: Permission, rules: Rules, services: Services
) -> Iterator[str]:
    scope = permission.scope
    if scope == WORKSPACE_SCOPE and permission.connection in step.parameters:
        yield from _read_resources([str(step.parameters[permission.connection])], services)
    elif scope == WORKSPACE_SCOPE:
        yield from step.workspaces.values()
    elif scope == IDENTITY_SCOPE:
        yield from (id for id in step.parameters.get(IDENTITY_SCOPE) or () if "${" not in id)
    else:
        of_type = [name for name, one in rules.connections.items() if one.get("type") == scope]
        named = [name for name in step.connections() if name in of_type]
        implicit = [name for name in of_type if is_implicit(rules.connections[name])]
        yield from _read_resources(named or implicit, services)


def _read_resources(names: Iterable[str], services: Services) -> Iterator[str]:
    for name in names:
        try:
            resource = services.connection(name).resource
        except ActionError:
            continue  # an invalid connection is reported separately
        if resource:
            yield resource
