"""`check`: load the rule file, run its tests, and show every problem in it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import typer

from mlevents.commands.command import (
    EXIT_PROBLEMS,
    RULES,
    AsJson,
    RulesFile,
    command,
    load_local_rules,
    print_json,
    print_line,
)
from mlevents.errors import Problem, RulesError
from mlevents.rule_tests.runner import load_and_test_rules

_STYLES = {"error": "red", "warning": "yellow"}


@command("check")
def check(rules: RulesFile = RULES, as_json: AsJson = False) -> None:
    """Load the rule file, run its tests, and show every problem in it."""
    counts = {"rules": 0, "tests": 0}
    try:
        loaded = load_local_rules(rules, load_and_test_rules)
    except RulesError as error:
        found = [(problem, "error") for problem in error.problems]
        warnings = error.warnings
    else:
        found, warnings = [], list(loaded.warnings)
        counts = {"rules": len(loaded.rules), "tests": loaded.tests}
    told = sorted(found + [(problem, "warning") for problem in warnings])
    if as_json:
        print_json({"ok": not found, **counts, "problems": [_as_json(*one) for one in told]})
    else:
        for problem, severity in told:
            _show(problem, severity)
        _sum_up(str(rules), counts, len(found), len(warnings))
    if found:
        raise typer.Exit(EXIT_PROBLEMS)


def _as_json(problem: Problem, severity: str) -> dict[str, Any]:
    told = {name: value for name, value in asdict(problem).items() if name != "setting"}
    return told | {"severity": severity}


def _show(problem: Problem, severity: str) -> None:
    place = f"{problem.file}:{problem.line}:{problem.column}: "
    kind = "warning: " if severity == "warning" else ""
    path = f"{problem.path}: " if problem.path else ""
    print_line(place, (kind + path, _STYLES[severity]), problem.text)


def _sum_up(file: str, counts: Mapping[str, int], errors: int, warnings: int) -> None:
    good = [_count(counts["rules"], "rule"), _count(counts["tests"], "test"), "no problems"]
    told = [_count(errors, "problem")] if errors else [text for text in good if text != "0 tests"]
    if warnings:
        told.append(_count(warnings, "warning"))
    print_line((f"{file}: {', '.join(told)}", "bold red" if errors else "bold green"))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
