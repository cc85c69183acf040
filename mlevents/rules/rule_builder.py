"""From rules as written to rules as used: steps get their ids, and values of the file and its defaults."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from mlevents.actions.action import Action
from mlevents.gates.gate import AnyGate, gates_in_order
from mlevents.matching.where import Where
from mlevents.registry import Registry
from mlevents.rules.allowed_names import apply_allowed_names
from mlevents.rules.model import Defaults, Retry, Rule, Step
from mlevents.rules.step_ids import StepIds
from mlevents.rules.syntax import RuleSyntax

_DEFAULTS = frozenset(Defaults.model_fields)


@dataclass(frozen=True, slots=True)
class RuleBuilder:
    """Builds rules and their steps; `lists` are the file's lists of names that an event may use."""

    lists: Mapping[str, Sequence[str]]
    actions: Registry[type[Action]]
    gates: Collection[str] = field(default_factory=gates_in_order)

    def build_rule(self, written: RuleSyntax, where: Where | None, defaults: Defaults) -> Rule:
        """The rule with its bound conditions; `defaults` come from `build_defaults`."""
        own = written.on_failure
        return Rule(
            id=written.id,
            description=written.description,
            event=("*",) if "*" in written.event else written.event,
            where=where,
            mode=written.mode,
            gates=self._collect_gates(written, defaults),
            steps=self._build_steps(written.do, defaults.retry),
            on_failure=defaults.on_failure if own is None else self._build_steps(own, defaults.retry),
        )

    def build_defaults(self, written: Defaults) -> Defaults:
        """The defaults with their own steps built."""
        return written.model_copy(update={"on_failure": self._build_steps(written.on_failure, written.retry)})

    def _build_steps(self, written: tuple[Step, ...], retry: Retry) -> tuple[Step, ...]:
        steps: dict[str, Step] = {}
        ids = StepIds()
        for step in written:
            name = step.id or ids.next(step.uses)
            ids.take(name)
            own = {key: getattr(step.retry, key) for key in step.retry.model_fields_set}
            ready = {"id": name, "retry": retry.model_copy(update=own) if own else retry}
            parameters = apply_allowed_names(step, self.lists, self.actions)
            steps[name] = step.model_copy(update={**ready, "with_": parameters})
        return tuple(steps.values())

    def _collect_gates(self, written: RuleSyntax, defaults: Defaults) -> dict[str, AnyGate]:
        """The gates of a rule in their order; one that it leaves out is that of the defaults, if any."""
        found = {}
        for name in self.gates:
            own = getattr(written, name)
            if own is None and name in _DEFAULTS:
                own = getattr(defaults, name)
            if own is not None:
                found[name] = own
        return found


def merge_defaults(own: Defaults, shared: Defaults) -> Defaults:
    """The defaults of one file of a folder: its own, and of the shared ones what it leaves out."""
    retry = {name: getattr(own.retry, name) for name in own.retry.model_fields_set}
    found = {name: getattr(own, name) for name in own.model_fields_set}
    return shared.model_copy(update={**found, "retry": shared.retry.model_copy(update=retry)})
