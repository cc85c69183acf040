"""Events that fire a rule, as commands to paste: from the rule file's own tests, else from its conditions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

from mlevents.events import NAMES
from mlevents.matching.match import find_event_kind
from mlevents.matching.sample_names import list_sample_names
from mlevents.rule_tests.event_arguments import ArgumentError, join_command, read_arguments, write_arguments
from mlevents.rule_tests.event_builder import BuiltEvent, build_document
from mlevents.rule_tests.event_defaults import fill_defaults
from mlevents.rule_tests.expectations import EventArrival
from mlevents.rule_tests.name_check import WORKSPACE_KEY
from mlevents.rule_tests.runner import RuleTest
from mlevents.rules.model import Rule, Rules

MOST_THINGS = 3
PASSING = frozenset(
    [
        ("model", "version"),
        ("run", "id"),
        ("run", "experiment_id"),
        ("drift", "run"),
        ("drift", "monitor_run"),
    ]
)
"""What tells one event from another, left out where the rule does not need it: each command works again."""
COMPUTED = frozenset([("run", "root"), ("run", "monitor_breach")])
"""What an event says by other names."""
STEP_RUN = {"run": {"type": "azureml.StepRun"}}
"""What makes a run part of another: no name of it alone can say that it is no root."""


@dataclass(frozen=True, slots=True)
class ThingToTry:
    """One event that fires a rule: `words` are the command line, as `join_command` joins it."""

    rule: str
    kind: str
    words: tuple[str, ...]

    @property
    def command_line(self) -> str:
        """The command, to paste into a shell."""
        return join_command(self.words)


def list_things_to_try(
    rules: Rules, tests: Iterable[RuleTest] = (), options: Sequence[str] = ()
) -> list[ThingToTry]:
    """At most three commands that each fire a rule, different rules and event types first.

    Those of tests come before those that are worked out from a rule's conditions. `options` end each
    command, such as the ready file of the sandbox.
    """
    now = datetime.now(UTC)
    trials = {rule.id: _Trial(rules, rule, now) for rule in rules.rules}
    tested = ((trials[rule], test.given) for test in tests for rule in test.expectation.matching)
    written = [one for trial, given in tested if (one := trial.try_test(given))]
    covered = {one.rule for one in written}
    derived = (trial.derive_command() for name, trial in trials.items() if name not in covered)
    found = _choose_various([*written, *(one for one in derived if one)])
    return [replace(one, words=(*one.words, *options)) for one in found]


def _choose_various(candidates: Sequence[ThingToTry]) -> list[ThingToTry]:
    """Three of the candidates: those for rules, then for event types, that none before them has."""
    chosen: list[ThingToTry] = []
    rest = list({one.words: one for one in reversed(candidates)}.values())[::-1]
    while rest and len(chosen) < MOST_THINGS:
        rules, kinds = {one.rule for one in chosen}, {one.kind for one in chosen}
        best = min(rest, key=lambda one: (one.rule in rules, one.kind in kinds))
        chosen.append(best)
        rest.remove(best)
    return chosen


def _shorten_names(names: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The names without what differs from event to event, then without the envelope, then with all."""
    for left_out in ({*PASSING, *COMPUTED}, COMPUTED, frozenset()):
        kept = {
            root: {name: value for name, value in fields.items() if (root, name) not in left_out}
            for root, fields in names.items()
            if root != "event" or not left_out
        }
        yield {root: fields for root, fields in kept.items() if fields}


@dataclass(frozen=True, slots=True)
class _Trial:
    """Looks for a command whose event, published now, fires one rule."""

    rules: Rules
    rule: Rule
    now: datetime

    def try_test(self, given: Mapping[str, Any]) -> ThingToTry | None:
        """The command for the event of a test."""
        [(kind, names)] = given.items()
        said = {root: fields for root, fields in names.items() if root != WORKSPACE_KEY}
        return self._build_command(kind, said, names.get(WORKSPACE_KEY))

    def derive_command(self) -> ThingToTry | None:
        """A command that is worked out from the rule's conditions."""
        kinds = [kind for kind in NAMES if "*" in self.rule.event or kind in self.rule.event]
        samples = list_sample_names(self.rule.where)
        workspaces: list[str | None] = [*self.rules.workspaces] or [None]
        for names, kind, extra, workspace in product(samples, kinds, self._list_extras(), workspaces):
            said = {root: fields for root, fields in names.items() if root != WORKSPACE_KEY}
            both = {root: {**said.get(root, {}), **fields} for root, fields in extra.items()}
            if one := self._build_command(kind, {**said, **both}, workspace):
                return one
        return None

    def _list_extras(self) -> list[dict[str, dict[str, Any]]]:
        """What no condition says: nothing, a step of a run, a model that may name its endpoint."""
        models = [{"model": {"name": pattern.replace("*", "x")}} for pattern in self.rules.endpoints]
        return [{}, STEP_RUN, *models]

    def _build_command(self, kind: str, names: Mapping[str, Any], workspace: str | None) -> ThingToTry | None:
        """The shortest command for an event with these names; None if it does not fire the rule."""
        alias = workspace or next(iter(self.rules.workspaces), None)
        for said in _shorten_names(names):
            try:
                arguments = write_arguments(kind, said)
            except ArgumentError:
                continue
            if self._fires(kind, arguments, alias):
                chosen = ("--workspace", alias) if alias and len(self.rules.workspaces) > 1 else ()
                return ThingToTry(self.rule.id, kind, ("mlevents", "event", kind, *arguments, *chosen))
        return None

    def _fires(self, kind: str, arguments: Sequence[str], workspace: str | None) -> bool:
        given: dict[str, Any] = fill_defaults(kind, read_arguments(kind, arguments))
        if workspace:
            given[WORKSPACE_KEY] = workspace
        built = build_document({kind: given}, self.rules.workspaces, self.now.isoformat())
        if not isinstance(built, BuiltEvent) or find_event_kind(self.rule, built.event) is None:
            return False
        return EventArrival(built.event, self.now).find_stop_reason(self.rule) is None
