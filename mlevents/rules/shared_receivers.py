"""Receivers that drop a second message of one event, where several steps send to them: each must arrive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.actions.action import Action
from mlevents.actions.shared_receiver import SharedReceiver
from mlevents.matching.where import ANY_EVENT
from mlevents.registry import Registry
from mlevents.rules.model import Rule, Step

_SAME_EVENT = frozenset({"drift.detected", "run.status_changed"})
"""The kinds that one event of Azure ML may have at the same time."""


@dataclass(frozen=True, slots=True)
class SharedReceivers:
    """Finds the receivers that steps share; `connections` are those of the rule file, as written."""

    connections: Mapping[str, Mapping[str, Any]]
    actions: Registry[type[Action]]

    def separate_messages(self, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """The rules; a step gets its action's parameters if another may send the same event there."""
        known = tuple(rules)
        senders = [(rule, found) for rule in known if (found := list(self._list_receivers(rule)))]
        if sum(len(found) for _, found in senders) < 2:
            return known
        return tuple(self._separate_rule(rule, senders) for rule in known)

    def _separate_rule(self, rule: Rule, senders: list[tuple[Rule, list[str]]]) -> Rule:
        near = [found for other, found in senders if _may_share_event(rule, other)]
        known = [one for found in near for one in found]
        shared = {one for one in known if known.count(one) > 1}
        if not shared:
            return rule
        return rule.model_copy(
            update={
                "steps": tuple(self._separate_step(one, shared) for one in rule.steps),
                "on_failure": tuple(self._separate_step(one, shared) for one in rule.on_failure),
            }
        )

    def _separate_step(self, step: Step, shared: set[str]) -> Step:
        action = self.actions.find(step.uses)
        if not issubclass(action, SharedReceiver) or self._find_receiver(step) not in shared:
            return step
        return step.model_copy(update={"with_": {**step.with_, **action.shared_receiver_parameters}})

    def _list_receivers(self, rule: Rule) -> Iterable[str]:
        for step in (*rule.steps, *rule.on_failure):
            if receiver := self._find_receiver(step):
                yield receiver

    def _find_receiver(self, step: Step) -> str | None:
        action = self.actions.find(step.uses)
        if not issubclass(action, SharedReceiver):
            return None
        return action.find_shared_receiver(step.with_, self.connections)


def _may_share_event(one: Rule, other: Rule) -> bool:
    kinds, others = set(one.event), set(other.event)
    if one is other or ANY_EVENT in kinds | others:
        return True
    return bool(kinds & others or (kinds & _SAME_EVENT and others & _SAME_EVENT))
