"""Checks of rules that models cannot do: ids, gates, conditions and steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlevents.events import NAMES
from mlevents.events.studio_links import ENDPOINT_NAMES
from mlevents.gates.gate import AnyGate, gates_in_order
from mlevents.gates.given_names import list_given_names
from mlevents.matching.satisfiability import find_impossible_alternatives, find_impossible_condition
from mlevents.matching.where import Where, bind_where, list_expression_names
from mlevents.rules.loops import find_loops
from mlevents.rules.references import find_references
from mlevents.rules.report import Report
from mlevents.rules.rule_source import DEFAULTS, RuleSource
from mlevents.rules.step_check import STEP_RESULT, StepCheck
from mlevents.yamlfile.positions import PathProblem, join_path

_ANY_EVENT = ("*",)

SILENCE_ROOTS = ("event", "workspace")
SILENCE_NAMES = {"expect": dict.fromkeys(("last", "every", "since"), "text")}
"""What the steps of a rule can read that acts when no event came."""

RESPONSE_NAMES = {"response": dict.fromkeys(("id", "rule", "link"), "text")}
"""What every step can read of the response that it belongs to."""

FAILURE_NAMES = {
    "failure": dict.fromkeys(("step", "uses", "status", "message", "rule", "response"), "text"),
}
"""What the steps of `on_failure` can read besides the event."""


def check_rules(source: RuleSource, report: Report, steps: StepCheck) -> list[Where | None]:
    """The bound conditions of each rule, None where it has none; reports what is wrong."""
    checks = RuleCheck(report, steps)
    for part in source.parts:
        if isinstance(defaults := part.document.value.get(DEFAULTS), dict):
            checks.check_defaults(defaults, part.defaults)
    rules = source.written.get("rules")
    return [
        checks.check_rule(rule, join_path("rules", index))
        for index, rule in enumerate(rules if isinstance(rules, list) else ())
        if isinstance(rule, dict)
    ]


@dataclass(slots=True)
class RuleCheck:
    """Checks rules one by one, and remembers the path of each id."""

    report: Report
    steps: StepCheck
    ids: dict[str, str] = field(default_factory=dict)
    gates: Mapping[str, type[AnyGate]] = field(default_factory=gates_in_order)

    def check_defaults(self, written: Mapping[str, Any], path: str) -> None:
        """Report the problems of the defaults at this path."""
        names = {**list_expression_names(_ANY_EVENT), **RESPONSE_NAMES, **ENDPOINT_NAMES, **FAILURE_NAMES}
        self.steps.check_steps(written.get("on_failure"), join_path(path, "on_failure"), names)

    def check_rule(self, written: Mapping[str, Any], path: str) -> Where | None:
        """The bound conditions of a rule, None if it has none; reports what is wrong in it."""
        self._check_id(written.get("id"), join_path(path, "id"))
        kinds = find_event_kinds(written.get("event"))
        names: Mapping[str, Any] = list_expression_names(kinds)
        if is_silence_rule(written):
            names = {root: names[root] for root in SILENCE_ROOTS} | SILENCE_NAMES
        self.report.errors(path, find_event_problems(written))
        self._check_gates(written, path, names)
        names = {**names, **list_given_names(written, names), **RESPONSE_NAMES}
        if "deployment" in names:
            names |= ENDPOINT_NAMES
        results = dict.fromkeys(
            self.steps.check_steps(written.get("do"), join_path(path, "do"), names), STEP_RESULT
        )
        given = self.steps.vocabulary.list_given_names(written.get("do"))
        failure = {**names, **given, **FAILURE_NAMES, "steps": results}
        self.steps.check_steps(written.get("on_failure"), join_path(path, "on_failure"), failure)
        where = self._bind_where(written.get("where"), kinds, join_path(path, "where"))
        for place, text in find_loops(written, kinds, where, self.steps.vocabulary.actions):
            self.report.warn(join_path(path, place), text)
        return where

    def _bind_where(self, written: object, kinds: tuple[str, ...], path: str) -> Where | None:
        """The bound conditions, after a check that an event can fulfil them."""
        where = bind_where(written, kinds, path, self.report.error) if isinstance(written, dict) else None
        if where is None:
            return None
        never = [*find_impossible_condition(where, kinds)]
        for place, text in never:
            self.report.error(path + place.removeprefix("where"), text)
        for place, text in find_impossible_alternatives(where, kinds) if not never else ():
            self.report.warn(path + place.removeprefix("where"), text)
        return where

    def _check_gates(self, written: Mapping[str, Any], path: str, names: Mapping[str, Any]) -> None:
        """Report what is wrong in the gates of a rule, beyond their form."""
        for name, found in self.gates.items():
            if name in written:
                self.steps.check_values(written[name], join_path(path, name), names)
                place = join_path(path, name)
                for named in find_references(found, written[name], place):
                    self.steps.check_reference(named)
                self.report.errors(place, found.check(written[name], names))
                for inner, text in found.find_warnings(written[name]):
                    self.report.warn(join_path(place, inner), text)

    def _check_id(self, name: object, path: str) -> None:
        if not isinstance(name, str):
            return
        first = self.ids.setdefault(name, path)
        if first != path:
            here, other = (self.report.document.problem(one, "") for one in (path, first))
            place = f"line {other.line}" if other.file == here.file else f"{other.file}:{other.line}"
            self.report.error(path, f"'{name}' is also the id of the rule in {place}: rename one")


def is_silence_rule(written: Mapping[str, Any]) -> bool:
    """Whether a rule acts when no event came for some time."""
    expect = written.get("expect")
    return isinstance(expect, dict) and "every" in expect


def find_event_problems(written: Mapping[str, Any]) -> Iterator[PathProblem]:
    """What is wrong in a rule that has no `event`, or must not have one."""
    if not is_silence_rule(written):
        if "event" not in written:
            yield "event", "'event' is missing: name the events of the rule: one, a list, or \"*\""
        return
    for key in ("event", "where"):
        if key in written:
            yield (
                key,
                f"a rule with `expect: {{every: …}}` answers no event: remove `{key}`",
            )


def find_event_kinds(written: object) -> tuple[str, ...]:
    """The known kinds in an `event` as written; all kinds if there is none."""
    asked = written if isinstance(written, list) else [written]
    known = tuple(kind for kind in asked if isinstance(kind, str) and kind in NAMES)
    return _ANY_EVENT if "*" in asked or not known else known
