"""The tests in a rule file: events with what is expected of them, run by `check`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlevents.events import Event
from mlevents.events.content import instant
from mlevents.rule_tests.event_builder import build_event
from mlevents.rule_tests.expectations import EventArrival, Expectation
from mlevents.rules.file import load_rules
from mlevents.rules.model import Rule, Rules
from mlevents.rules.report import Report
from mlevents.settings import Settings
from mlevents.yamlfile.positions import join_path


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A test without a mistake in it, ready to run."""

    name: str
    path: str
    arrival: EventArrival
    expectation: Expectation
    given: Mapping[str, Any]


class RuleTestRunner:
    """The tests of one file: read from it, then run against its rules."""

    def __init__(self) -> None:
        self.tests: list[RuleTest] = []

    def read(self, written: Mapping[str, Any], workspaces: Mapping[str, str], report: Report) -> None:
        """Read the tests as written; report what is wrong in them, whether the rules are good or not."""
        tests, rules = written.get("tests"), written.get("rules")
        known = rules if isinstance(rules, list) else []
        ids = [str(rule.get("id")) for rule in known if isinstance(rule, dict)]
        found = (
            _read(test, join_path("tests", index), (ids, workspaces, report))
            for index, test in enumerate(tests if isinstance(tests, list) else ())
            if isinstance(test, dict)
        )
        self.tests = [test for test in found if test]

    def run(self, rules: Iterable[Rule], report: Report) -> int:
        """Report each expectation that does not come true, at its path; gives the number of tests."""
        by_id = {rule.id: rule for rule in rules}
        for test in self.tests:
            for path, text in test.expectation.find_failures(test.arrival, by_id):
                report.errors(join_path(test.path, "expect"), [(path, f"'{test.name}': {text}")])
        return len(self.tests)


def load_and_test_rules(path: Path, settings: Settings, *, require_settings: bool = True) -> Rules:
    """The rules of a file, after its tests have run; raises RulesError, as `load` does."""
    return load_rules(path, settings, require_settings=require_settings, tests=RuleTestRunner())


def _read(
    test: dict[str, Any], path: str, context: tuple[list[str], Mapping[str, str], Report]
) -> RuleTest | None:
    ids, workspaces, report = context
    at, expected, before = _time(test.get("at"), path, report), Expectation(), len(report.problems)
    event = build_event(given, workspaces, at) if isinstance(given := test.get("given"), dict) else []
    if not isinstance(event, Event):
        report.errors(join_path(path, "given"), event)
    if "expect" in test:
        report.errors(join_path(path, "expect"), expected.read(test["expect"], ids))
    if len(report.problems) > before or not isinstance(event, Event):
        return None
    now = datetime.fromisoformat(at) if at else None
    return RuleTest(str(test.get("name")), path, EventArrival(event, now), expected, test["given"])


def _time(at: object, path: str, report: Report) -> str | None:
    try:
        return instant(at) if isinstance(at, str) else None
    except ValueError:
        report.error(
            join_path(path, "at"), f"'{at}' is not a valid time: write one such as 2030-01-31T12:00:00Z"
        )
        return None
