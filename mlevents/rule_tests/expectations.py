"""What a test in the rule file expects of an event, and whether it is so.

expect: deploy-production-models                             # this rule matches
expect: [deploy-production-models, stream-everything]        # each of these does
expect: {not: deploy-production-models}                      # it does not
expect: {not: {deploy-production-models: where.model.tags.hold}}   # and this is why
expect: {only: [stream-everything]}                          # it matches, and no other rule does
expect: {match: retrain-on-drift, dedupe: {retrain-on-drift: run-1}}
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlevents.actions.endpoint_allowlist import SECTION
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.gates.gate import AnyGate, gates_in_order
from mlevents.matching.condition_tree import FailedCondition
from mlevents.matching.match import match_rule
from mlevents.registry import suggest_names
from mlevents.rules.allowed_names import find_refusal
from mlevents.rules.model import Rule
from mlevents.yamlfile.positions import PathProblem, join_path
from mlevents.yamlfile.scalars import quote

EXPECT_KEYS = ("match", "not", "only", "dedupe")


def list_other_stop_paths() -> list[str]:
    """What else than a condition can keep a rule from acting, by its key."""
    asked = AnyGate.objection_to_event
    gates = [name for name, one in gates_in_order().items() if one.objection_to_event is not asked]
    return ["event", "mode", *gates, SECTION]


def find_closed_gate(rule: Rule, event: Event, now: datetime) -> FailedCondition | None:
    """The first gate that objects to the event at its delivery, with what it wants."""
    for name, one in rule.gates.items():
        if one.objection_to_event(event, now):
            return FailedCondition(name, one.describe(), event.time)
    return None


@dataclass(frozen=True, slots=True)
class EventArrival:
    """The event of a test, and the time at which it arrives, if the test says so."""

    event: Event
    now: datetime | None = None

    def find_stop_reason(self, rule: Rule) -> FailedCondition | None:
        """What keeps the rule from acting on the event."""
        if failed := match_rule(rule, self.event).failed:
            return failed
        if self.now and (closed := find_closed_gate(rule, self.event, self.now)):
            return closed
        return find_refusal(rule, self.event)


@dataclass(slots=True)
class Expectation:
    """What a test expects, read from its `expect`: for each rule the place of that in the file.

    `reasons` are those of `failing`, `only` whether no rule but the `matching` may match.
    """

    matching: dict[str, str] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    only: bool = False

    def read(self, expect: object, ids: Iterable[str]) -> Iterator[PathProblem]:
        """Take in what is written; gives what is wrong with it, by its path below `expect`."""
        if not isinstance(expect, dict):
            yield from self._read_rules(expect, "", self.matching)
        elif not expect:
            yield "", f"expects nothing: write a rule's id, or one of {', '.join(EXPECT_KEYS)}"
        else:
            for key, value in expect.items():
                yield from self._read_key(key, value)
        known = list(ids)
        for rule, path in [*self.matching.items(), *self.failing.items()]:
            if rule not in known:
                yield path, f"unknown rule '{rule}'{suggest_names(rule, known)}"

    def _read_key(self, key: str, value: object) -> Iterator[PathProblem]:
        if key == "not":
            reasons = value if isinstance(value, dict) else {}
            self.reasons = {rule: path for rule, path in reasons.items() if isinstance(path, str)}
            if len(self.reasons) < len(reasons):
                yield key, "must have the path of a condition for each rule, such as where.model.tags.hold"
            yield from self._read_rules(list(reasons) or value, key, self.failing)
            self.failing |= {rule: join_path(key, rule) for rule in reasons}
        elif key == "dedupe":
            self.values = value if isinstance(value, dict) else {}
            yield from self._read_rules(list(self.values) or value, key, self.matching)
            self.matching |= {rule: join_path(key, rule) for rule in self.values}
        elif key in EXPECT_KEYS:
            self.only = self.only or key == "only"
            yield from self._read_rules(value, key, self.matching, none=key == "only")
        else:
            near = suggest_names(key, EXPECT_KEYS)
            yield key, f"unknown key{near}"

    def _read_rules(
        self, value: object, path: str, to: dict[str, str], none: bool = False
    ) -> Iterator[PathProblem]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            yield path, f"must be a rule's id or a list of ids, not {quote(value)}"
        elif not names and not none:
            yield path, "names no rule: write `only: []` if no rule may match"
        else:
            to.update(dict.fromkeys(names, path))

    def find_failures(self, arrival: EventArrival, rules: Mapping[str, Rule]) -> Iterator[PathProblem]:
        """Where what is so differs from what is wanted, by the path below `expect`."""
        for name, path in self.matching.items():
            if failed := arrival.find_stop_reason(rules[name]):
                yield path, f"expected {name} to match, but {_describe_failure(failed)}"
            elif name in self.values:
                yield from _check_dedupe(rules[name], arrival.event, self.values[name], path)
        for name, path in self.failing.items():
            if text := self._check_reason(rules[name], arrival.find_stop_reason(rules[name])):
                yield path, text
        others = [name for name in rules if self.only and name not in self.matching]
        if too := [name for name in others if arrival.find_stop_reason(rules[name]) is None]:
            yield (
                "only",
                f"expected no other rule to match, but {', '.join(too)} {'does' if len(too) == 1 else 'do'}",
            )

    def _check_reason(self, rule: Rule, failed: FailedCondition | None) -> str | None:
        """How the rule's answer differs from the failure that is wanted."""
        reason = self.reasons.get(rule.id)
        conditions = rule.where.conjuncts() if rule.where else ()
        known = [*list_other_stop_paths(), *(part.path for part in conditions)]
        if reason is not None and reason not in known:
            return f"{rule.id} has no condition {reason}{suggest_names(reason, known)}"
        if failed is None:
            return f"expected {rule.id} not to match{f', for {reason}' if reason else ''}, but it matches"
        if reason in (None, failed.path):
            return None
        return f"expected {rule.id} not to match for {reason}, but {_describe_failure(failed)}"


def _check_dedupe(rule: Rule, event: Event, wanted: object, path: str) -> Iterator[PathProblem]:
    try:
        found = render_value(rule.dedupe, event.names)
    except ExpressionError as error:
        yield path, f"expected the dedupe value {_json(wanted)}, but {error}"
        return
    if rule.dedupe is None:
        yield path, f"expected the dedupe value {_json(wanted)}, but the rule has no dedupe"
    elif found != wanted:
        yield path, f"expected the dedupe value {_json(wanted)}, but it is {_json(found)}"


def _describe_failure(failed: FailedCondition) -> str:
    found = "nothing" if failed.found is None else _json(failed.found)
    return f"{failed.path} fails: wanted {_json(failed.wanted)}, found {found}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
