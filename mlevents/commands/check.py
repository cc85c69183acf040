"""`check`: load the rule file, run its tests, and show every problem in it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mlevents.commands.command import (
    EXIT_PROBLEMS,
    RULES,
    AllEnvironments,
    AsJson,
    EnvironmentName,
    RulesFile,
    command,
    exit_with_error,
    load_local_rules,
    print_json,
    print_line,
)
from mlevents.commands.problem_formats import github_lines, problem_json, sarif_log
from mlevents.commands.problem_text import RatedProblem, print_problems
from mlevents.commands.rules_argument import RulesArgument, choose_rules
from mlevents.commands.terminal import escape_text
from mlevents.errors import RulesError
from mlevents.rule_tests.runner import load_and_test_rules
from mlevents.rules.environment_file import list_environments
from mlevents.settings import find_default_rules


class OutputFormat(StrEnum):
    """How `check` prints what it finds."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


Format = Annotated[
    OutputFormat,
    typer.Option(
        "--format",
        help="For people, for programs, or as annotations of a pull request. `json` is the same as --json.",
    ),
]


@command("check")
def check(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    file: RulesArgument = None,
    rules: RulesFile = RULES,
    env: EnvironmentName = "",
    as_json: AsJson = False,
    all_environments: AllEnvironments = False,
    form: Format = OutputFormat.TEXT,
) -> None:
    """Load the rule file, run its tests, and show every problem in it."""
    if env and all_environments:
        exit_with_error("--env and --all-environments: choose one")
    rules = choose_rules(file, rules)
    rules = find_default_rules(Path()) if rules == RULES else rules
    counts = {"rules": 0, "tests": 0}
    found: set[RatedProblem] = set()
    for name in ["", *list_environments(rules)] if all_environments else [env]:
        try:
            loaded = load_local_rules(rules, load_and_test_rules, name)
        except RulesError as error:
            found |= {(one, "error") for one in error.problems} | {(one, "warning") for one in error.warnings}
        else:
            found |= {(one, "warning") for one in loaded.warnings}
            counts = {"rules": len(loaded.rules), "tests": loaded.tests}
    _print(OutputFormat.JSON if as_json else form, str(rules), sorted(found), counts)
    if any(severity == "error" for _, severity in found):
        raise typer.Exit(EXIT_PROBLEMS)


def _print(
    form: OutputFormat, file: str, findings: Sequence[RatedProblem], counts: Mapping[str, int]
) -> None:
    errors = sum(severity == "error" for _, severity in findings)
    match form:
        case OutputFormat.JSON:
            problems = [problem_json(*finding) for finding in findings]
            print_json({"ok": not errors, **counts, "problems": problems})
        case OutputFormat.SARIF:
            print_json(sarif_log(findings))
        case OutputFormat.GITHUB:
            for line in github_lines(findings):
                typer.echo(escape_text(line))
        case OutputFormat.TEXT:
            print_problems(findings)
            _sum_up(file, counts, errors, len(findings) - errors)


def _sum_up(file: str, counts: Mapping[str, int], errors: int, warnings: int) -> None:
    good = [_count(counts["rules"], "rule"), _count(counts["tests"], "test"), "no problems"]
    told = [_count(errors, "problem")] if errors else [text for text in good if text != "0 tests"]
    if warnings:
        told.append(_count(warnings, "warning"))
    print_line((f"{file}: {', '.join(told)}", "bold red" if errors else "bold green"))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
