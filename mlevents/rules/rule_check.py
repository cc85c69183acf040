"""Checking rules beyond their form: ids, gates, conditions and steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlevents.events import NAMES
from mlevents.rules.gates import gates_missing
from mlevents.rules.positions import join
from mlevents.rules.report import Report
from mlevents.rules.steps import RESULT, StepCheck
from mlevents.rules.where import Where, bind, known_names

EVERY = ("*",)

FAILURE = {
    "failure": dict.fromkeys(("step", "uses", "status", "message", "rule", "response"), "text"),
}
"""What the steps of `on_failure` can read besides the event."""


def check_rules(written: Mapping[str, Any], report: Report, steps: StepCheck) -> list[Where | None]:
    """The bound conditions of each rule of a file, None where it has none; reports what is wrong."""
    checks = RuleCheck(report, steps)
    if isinstance(defaults := written.get("defaults"), dict):
        checks.defaults(defaults)
    if isinstance(written.get("tests"), list):
        report.warn("tests", "tests in the rule file are not run by this version yet")
    rules = written.get("rules")
    return [
        checks.rule(rule, join("rules", index))
        for index, rule in enumerate(rules if isinstance(rules, list) else ())
        if isinstance(rule, dict)
    ]


@dataclass(slots=True)
class RuleCheck:
    """What rules are checked with; remembers their ids."""

    report: Report
    steps: StepCheck
    ids: dict[str, int] = field(default_factory=dict)

    def defaults(self, written: Mapping[str, Any]) -> None:
        """Report what is wrong in the defaults."""
        self.report.errors("defaults", gates_missing(written))
        self.steps.check(written.get("on_failure"), "defaults.on_failure", known_names(EVERY) | FAILURE)

    def rule(self, written: Mapping[str, Any], path: str) -> Where | None:
        """The bound conditions of a rule, None if it has none; reports what is wrong in it."""
        self._unique(written.get("id"), join(path, "id"))
        self.report.errors(path, gates_missing(written))
        kinds = kinds_of(written.get("event"))
        names = known_names(kinds)
        self.steps.expressions(written.get("dedupe"), join(path, "dedupe"), names)
        results = dict.fromkeys(self.steps.check(written.get("do"), join(path, "do"), names), RESULT)
        failure = {**names, **FAILURE, "steps": results}
        self.steps.check(written.get("on_failure"), join(path, "on_failure"), failure)
        if not isinstance(where := written.get("where"), dict):
            return None
        return bind(where, kinds, join(path, "where"), self.report.error)

    def _unique(self, name: object, path: str) -> None:
        if isinstance(name, str) and name in self.ids:
            line = self.ids[name]
            self.report.error(path, f"'{name}' is the id of the rule in line {line} too: rename one")
        elif isinstance(name, str):
            self.ids[name], _ = self.report.document.place(path)


def kinds_of(written: object) -> tuple[str, ...]:
    """The known kinds that an `event` as written asks for; all of them where there is none."""
    asked = written if isinstance(written, list) else [written]
    known = tuple(kind for kind in asked if isinstance(kind, str) and kind in NAMES)
    return EVERY if "*" in asked or not known else known
