"""Receivers that drop a second message of one event, where several steps send to them: each must arrive."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlevents.actions.action import Action
from mlevents.actions.shared_receiver import SharedReceiver
from mlevents.matching.where import ANY_EVENT
from mlevents.registry import Registry
from mlevents.rules.model import Rule, Step

_SAME_EVENT = {"drift.detected": "run.status_changed"}
"""The kinds that one event of Azure ML may have at the same time."""


@dataclass(frozen=True, slots=True)
class SharedReceivers:
    """Finds the receivers that steps share; `connections` are those of the rule file, as written."""

    connections: Mapping[str, Mapping[str, Any]]
    actions: Registry[type[Action]]

    def separate_messages(self, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """The rules; a step gets its action's parameters if another may send the same event there."""
        known = tuple(rules)
        every = {kind for rule in known for kind in rule.event}
        uses = Counter(
            (kind, receiver)
            for rule in known
            for receiver in self._list_receivers(rule)
            for kind in _list_kinds(rule, every)
        )
        shared = {use for use, times in uses.items() if times > 1}
        return tuple(self._separate_rule(rule, every, shared) for rule in known) if shared else known

    def _separate_rule(self, rule: Rule, every: set[str], shared: set[tuple[str, str]]) -> Rule:
        own, kinds = set(self._list_receivers(rule)), _list_kinds(rule, every)
        met = {receiver for receiver in own if any((kind, receiver) in shared for kind in kinds)}
        if not met:
            return rule
        return rule.model_copy(
            update={
                "steps": tuple(self._separate_step(one, met) for one in rule.steps),
                "on_failure": tuple(self._separate_step(one, met) for one in rule.on_failure),
            }
        )

    def _separate_step(self, step: Step, shared: set[str]) -> Step:
        action = self.actions.find(step.uses)
        if not issubclass(action, SharedReceiver) or self._find_receiver(step) not in shared:
            return step
        return step.model_copy(update={"with_": {**action.shared_receiver_parameters, **step.with_}})

    def _list_receivers(self, rule: Rule) -> Iterator[str]:
        for step in (*rule.steps, *rule.on_failure):
            if receiver := self._find_receiver(step):
                yield receiver

    def _find_receiver(self, step: Step) -> str | None:
        action = self.actions.find(step.uses)
        if not issubclass(action, SharedReceiver):
            return None
        return action.find_shared_receiver(step.with_, self.connections)


def _list_kinds(rule: Rule, every: set[str]) -> set[str]:
    """What two rules have in common that may see the same event; a rule always shares its own id."""
    kinds = every | {ANY_EVENT} if ANY_EVENT in rule.event else rule.event
    return {rule.id, *(_SAME_EVENT.get(kind, kind) for kind in kinds)}
