"""Loading the rule file or folder: rules that are ready to match, or every problem at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from mlevents.actions.endpoint_allowlist import SECTION
from mlevents.errors import RulesError
from mlevents.rules.environment_file import load_environment
from mlevents.rules.environment_sections import apply_environment
from mlevents.rules.extensions import load_extensions, report_extension_faults
from mlevents.rules.garbage_collection import pause_collection
from mlevents.rules.loop_protection import protect_from_loops
from mlevents.rules.mistakes import report_omissions
from mlevents.rules.model import Defaults, Rule, Rules
from mlevents.rules.report import MAX_FILE_PROBLEMS, Report
from mlevents.rules.rule_builder import RuleBuilder, merge_defaults
from mlevents.rules.rule_folder import open_folder
from mlevents.rules.rule_sections import RuleSections, check_sections, read_workspaces
from mlevents.rules.rule_source import RuleSource, merge_documents, read_source
from mlevents.rules.shared_receivers import SharedReceivers
from mlevents.rules.syntax import RuleFileSyntax, rule_file_model
from mlevents.rules.validation_messages import ErrorMessages
from mlevents.rules.vocabulary import VOCABULARY, Vocabulary
from mlevents.settings import Settings
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
    """The rules of a file or folder; raises RulesError with every problem, or why it cannot be read.

    The extensions beside it are loaded first; while one is broken, the problems are those of extensions.
    Without `require_settings`, app settings that are not set are warnings, so that a file can be
    checked on any machine. A failed test is a problem like any other.
    """
    load_extensions(path)
    with report_extension_faults(), pause_collection():
        return _Loading(path, settings, require_settings, vocabulary, tests).rules(read_source(path))


def load_rules_text(
    text: str,
    path: Path,
    settings: Settings,
    *,
    require_settings: bool = True,
    vocabulary: Vocabulary = VOCABULARY,
) -> Rules:
    """The rules in a text; problems use `path`, and the files of steps are next to it."""
    load_extensions(path)
    with pause_collection():
        source = merge_documents([parse_yaml(text, str(path))], path)
        return _Loading(path, settings, require_settings, vocabulary).rules(source)


@dataclass(frozen=True, slots=True)
class _Loading:
    path: Path
    settings: Settings
    require_settings: bool
    vocabulary: Vocabulary = VOCABULARY
    tests: RuleTests | None = None

    def rules(self, source: RuleSource) -> Rules:
        report = Report(source.document, self.settings, self.require_settings, source.document.problems)
        environment = load_environment(self.path, self.settings.rule_environment, report)
        report.settings = replace(self.settings, defaults=environment.form.settings)
        forms = _validate_forms(source, report)
        named = read_workspaces(source, report)
        apply_environment(environment, source, report)
        folder = open_folder(self.path, environment.edit_size)
        sections = check_sections(source, folder, self.vocabulary, report)
        if self.tests:
            self.tests.read(source.written, named | sections.workspaces, report)
        own = replace(report, document=environment.document)
        own.errors("", environment.check_rules(source.rule_ids, sorted(sections.steps.templates)))
        _raise_problems(report)
        sections.report_unused(report)
        report_omissions(source, report)
        loaded = self._build(source, forms, sections)
        tested = self.tests.run(loaded.rules, report) if self.tests else 0
        _raise_problems(report)
        return replace(environment.apply(loaded), warnings=tuple(sorted(report.warnings)), tests=tested)

    def _build(self, source: RuleSource, forms: Sequence[RuleFileSyntax], sections: RuleSections) -> Rules:
        """The rules of files in which no problem was found, before their tests have run."""
        endpoints = tuple(dict.fromkeys(name for form in forms for name in form.endpoints or ()))
        builder = RuleBuilder({SECTION: endpoints}, self.vocabulary.actions)
        both = zip(forms, source.parts, strict=True)
        shared = next((form.defaults for form, part in both if part.is_shared), Defaults())
        defaults = [builder.build_defaults(merge_defaults(form.defaults, shared)) for form in forms]
        bound, steps = iter(sections.wheres), sections.steps
        built = (
            builder.build_rule(rule, next(bound), own)
            for form, own in zip(forms, defaults, strict=True)
            for rule in form.rules
        )
        receivers = SharedReceivers(steps.connections, self.vocabulary.actions)
        return Rules(
            rules=protect_from_loops(receivers.separate_messages(built), self.settings.loop_limit),
            workspaces=sections.workspaces,
            written_workspaces=tuple(source.written["workspaces"][name] for name in sections.workspaces),
            connections=steps.connections,
            defaults=builder.build_defaults(shared),
            path=self.path,
            files={name: steps.folder.read(name) for name in sorted(steps.files)},
            endpoints=endpoints,
            filters=next((form.filters for form in forms if "filters" in form.model_fields_set), "safe"),
        )


def _raise_problems(report: Report) -> None:
    problems = list(dict.fromkeys(report.problems))[:MAX_FILE_PROBLEMS]
    if report.is_full:
        more = f"there are at least {MAX_FILE_PROBLEMS} problems: fix the problems shown, then check again"
        problems.append(report.document.problem("", more))
    if problems:
        raise RulesError(problems, report.warnings)


def _validate_forms(source: RuleSource, report: Report) -> list[RuleFileSyntax]:
    """The files, validated by their model, without those that do not fit: what is wrong is reported.

    Of the files of a folder, one at least has rules.
    """
    optional: dict[str, Any] = {"rules": []} if "rules" in source.written else {}
    forms = []
    for part in source.parts:
        written = optional | part.document.value
        try:
            forms.append(rule_file_model().model_validate(written))
        except ValidationError as error:
            own = replace(report, document=part.document)
            own.errors("", ErrorMessages(rule_file_model()).translate(error, written))
    return forms
