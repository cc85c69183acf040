"""What protects rules that may start themselves through things that carry no tag of ours.

A job that a step starts may register a model, and a Data Factory run has no tags at all. Such a rule looks at
the lineage of its events, and it has a budget as the last net.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from mlevents.actions.action import action
from mlevents.gates.budget import Budget
from mlevents.gates.gate import AnyGate, gates_in_order
from mlevents.gates.lineage import Lineage
from mlevents.matching.where import ANY_EVENT
from mlevents.rules.model import Rule

DAY = "24h"
_KEYS = {
    "model.registered": "${workspace.name} ${model.name}",
    "model.tagged": "${workspace.name} ${model.name}",
    "run.completed": "${workspace.name} ${run.experiment | default('')}",
    "run.status_changed": "${workspace.name} ${run.experiment | default('')}",
}
"""What a response acts on, for events of one kind."""
_WITHOUT_LINEAGE = ("model.tagged",)
"""Nothing says which run set a tag."""
_ANY_KEY = "${workspace.name}"


def protect_from_loops(rules: Iterable[Rule], most: int) -> tuple[Rule, ...]:
    """The rules, with the gates that end a loop where a rule may cause its own events.

    A rule's own gate stays; `most` responses may act in a day, 0 for no such limit.
    """
    known = tuple(rules)
    reached: dict[str, set[str]] = defaultdict(set)
    for rule in known:
        for kind in rule.event:
            reached[kind].update(_causes(rule))
    return tuple(_protect(rule, most) if _may_loop(rule, reached) else _clean(rule) for rule in known)


def _protect(rule: Rule, most: int) -> Rule:
    gates = dict(rule.gates)
    if any(kind in _KEYS and kind not in _WITHOUT_LINEAGE for kind in rule.event):
        gates.setdefault("lineage", Lineage(True))
    if most:
        key = _KEYS.get(rule.event[0], _ANY_KEY) if len(rule.event) == 1 else _ANY_KEY
        gates.setdefault("budget", Budget.model_validate({"key": key, "at_most": most, "per": DAY}))
    return _with_gates(rule, gates)


def _clean(rule: Rule) -> Rule:
    return _with_gates(rule, dict(rule.gates)) if "lineage" in rule.gates else rule


def _with_gates(rule: Rule, gates: dict[str, AnyGate]) -> Rule:
    """The rule with these gates in their order, without a `lineage: false`."""
    own = gates.get("lineage")
    if isinstance(own, Lineage) and not own.root:
        del gates["lineage"]
    ordered = {name: gates[name] for name in gates_in_order() if name in gates}
    return rule.model_copy(update={"gates": ordered})


def _may_loop(rule: Rule, reached: Mapping[str, set[str]]) -> bool:
    """Whether what the rule causes leads back to one of its events, directly or through other rules."""
    seen: set[str] = set()
    ahead = set(_causes(rule))
    while ahead:
        kind = ahead.pop()
        if kind in rule.event or ANY_EVENT in rule.event:
            return True
        seen.add(kind)
        ahead |= (reached.get(kind, set()) | reached.get(ANY_EVENT, set())) - seen
    return False


def _causes(rule: Rule) -> Iterable[str]:
    """The kinds of events that the steps of a rule may cause without a tag of ours."""
    for step in rule.steps:
        yield from action.find(step.uses).leads_to if step.uses in action else ()
