"""Loading the rule file: rules that are ready to match, or every problem in it at once."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from mlevents.actions.endpoint_allowlist import SECTION
from mlevents.errors import Problem, RulesError
from mlevents.matching.where import Where
from mlevents.rules.available_gates import without_missing_gates
from mlevents.rules.connections import check_connections, check_workspaces
from mlevents.rules.model import Rule, Rules
from mlevents.rules.report import MAX_FILE_PROBLEMS, Report
from mlevents.rules.rule_builder import RuleBuilder
from mlevents.rules.rule_check import check_rules
from mlevents.rules.rule_folder import RuleFolder
from mlevents.rules.step_check import StepCheck
from mlevents.rules.syntax import RuleFileSyntax, rule_file_model
from mlevents.rules.validation_messages import ErrorMessages, quote
from mlevents.rules.vocabulary import VOCABULARY, Vocabulary
from mlevents.settings import Settings
from mlevents.yamlfile.positions import join_path
from mlevents.yamlfile.reader import parse_yaml


class RuleTests(Protocol):
    """The tests of a rule file; `mlevents.rule_tests.runner` has them."""

    def read(self, written: Mapping[str, Any], workspaces: Mapping[str, str], report: Report) -> None:
        """Read them from the file as written; report what is wrong in them, even where rules are."""

    def run(self, rules: Iterable[Rule], report: Report) -> int:
        """Report each expectation that is not met; returns the number of tests."""


def load_rules(
    path: Path,
    settings: Settings,
    *,
    require_settings: bool = True,
    vocabulary: Vocabulary = VOCABULARY,
    tests: RuleTests | None = None,
) -> Rules:
    """The rules of a file; raises RulesError with every problem in it, or the reason it cannot be read.

    Without `require_settings`, app settings that are not set are warnings, so that a file can be
    checked on any machine. A failed test is a problem like any other.
    """
    return _Loading(path, settings, require_settings, vocabulary, tests).rules(_read_text(path))


def load_rules_text(
    text: str,
    path: Path,
    settings: Settings,
    *,
    require_settings: bool = True,
    vocabulary: Vocabulary = VOCABULARY,
) -> Rules:
    """The rules in a text; problems use `path`, and the files of steps are next to it."""
    return _Loading(path, settings, require_settings, vocabulary).rules(text)


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RulesError([Problem(str(path), 1, 1, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise RulesError([_encoding_problem(path, error)]) from error


@dataclass(frozen=True, slots=True)
class _Loading:
    path: Path
    settings: Settings
    require_settings: bool
    vocabulary: Vocabulary = VOCABULARY
    tests: RuleTests | None = None

    def rules(self, text: str) -> Rules:
        document = parse_yaml(text, str(self.path))
        report = Report(document, self.settings, self.require_settings, document.problems)
        if document.broken:
            raise _rules_error(report)
        if not isinstance(document.value, dict):
            found = (
                "the file is empty"
                if document.value is None
                else f"must be a mapping, not {quote(document.value)}"
            )
            report.error("", f"{found}: begin with 'version: 1'")
            raise RulesError(report.problems)
        return self._check_and_build(document.value, report)

    def _check_and_build(self, written: dict[str, Any], report: Report) -> Rules:
        form = _validate_form(written, report)
        workspaces = check_workspaces(_find_section(written, "workspaces"), report)
        section = _find_section(written, "connections")
        connections = check_connections(section, report, self.vocabulary.connections)
        steps = StepCheck(report, self.vocabulary, connections, RuleFolder(self.path.parent), written)
        wheres = check_rules(written, report, steps)
        if self.tests:
            self.tests.read(written, workspaces, report)
        if report.problems or form is None:
            raise _rules_error(report)
        _warn_of_unused(connections, steps.used, report)
        if not workspaces:
            report.warn("workspaces", "no workspace is listed: the app acts on events from every workspace")
        loaded = self._build(form, wheres, steps)
        tested = self.tests.run(loaded.rules, report) if self.tests else 0
        if report.problems:
            raise _rules_error(report)
        warnings = tuple(sorted(report.warnings))
        return replace(loaded, workspaces=workspaces, warnings=warnings, tests=tested)

    def _build(self, form: RuleFileSyntax, wheres: Iterable[Where | None], steps: StepCheck) -> Rules:
        """The rules of a file in which no problem was found, before its tests have run."""
        builder = RuleBuilder({SECTION: form.endpoints or ()}, self.vocabulary.actions)
        defaults = builder.build_defaults(form.defaults)
        both = zip(form.rules, wheres, strict=True)
        return Rules(
            rules=tuple(builder.build_rule(rule, where, defaults) for rule, where in both),
            workspaces={},
            connections=steps.connections,
            defaults=defaults,
            path=self.path,
            files={name: steps.folder.read(name) for name in sorted(steps.files)},
            endpoints=form.endpoints or (),
            filters=form.filters,
        )


def _rules_error(report: Report) -> RulesError:
    problems = list(dict.fromkeys(report.problems))[:MAX_FILE_PROBLEMS]
    if report.is_full:
        more = f"there are at least {MAX_FILE_PROBLEMS} problems: fix the problems shown, then check again"
        problems.append(report.document.problem("", more))
    return RulesError(problems, report.warnings)


def _warn_of_unused(connections: Mapping[str, Any], used: Container[str], report: Report) -> None:
    for name in connections:
        if name not in used:
            report.warn(join_path("connections", name), "no step uses this connection: remove it, or use it")


def _validate_form(written: dict[str, Any], report: Report) -> RuleFileSyntax | None:
    """The file, validated by its models; None after reporting what does not fit."""
    try:
        return rule_file_model().model_validate(without_missing_gates(written))
    except ValidationError as error:
        report.errors("", ErrorMessages(rule_file_model()).translate(error, written))
        return None


def _find_section(written: dict[str, Any], name: str) -> dict[str, Any]:
    section = written.get(name)
    return section if isinstance(section, dict) else {}


def _encoding_problem(path: Path, error: UnicodeDecodeError) -> Problem:
    before = error.object[: error.start].decode("utf-8", "replace").splitlines(keepends=False) or [""]
    byte = error.object[error.start]
    text = f"the byte 0x{byte:02x} is not UTF-8: save the file as UTF-8"
    return Problem(str(path), len(before), len(before[-1]) + 1, "", text)
