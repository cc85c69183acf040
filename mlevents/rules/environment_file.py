"""An environment, such as dev or prod: what differs there from the rule file.

```yaml
version: 1
workspaces: {ml: /subscriptions/…/workspaces/ml-dev}        # instead of the file's list
connections: {mlops-email: {to: [dev@example.com]}}         # these keys over the connection's own
settings: {COMMUNICATION_ENDPOINT: "https://acs-dev…"}      # where the app has no such setting
modes: {all: shadow, alert-failed-runs: live}
templates: {deployments/small.yaml: {instance_type: Standard_DS2_v2, instance_count: 1}}
```
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from mlevents.errors import Problem, RulesError
from mlevents.registry import did_you_mean, suggest_names
from mlevents.rules.model import Mode, Rule, Rules, StrictModel
from mlevents.rules.report import Report
from mlevents.rules.rule_folder import find_project
from mlevents.rules.rule_source import read_document
from mlevents.rules.syntax import Name
from mlevents.rules.template_size import TemplateSize
from mlevents.rules.validation_messages import ErrorMessages
from mlevents.settings import Settings
from mlevents.yamlfile.positions import Document, PathProblem, join_path

_FOLDER = "environments"
ALL_RULES = "all"

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_READ_BY_THE_HOST = ("MLEVENTS_", "AzureWebJobs", "FUNCTIONS_", "WEBSITE_", "APPLICATIONINSIGHTS_")
SETTING_NAME_PATTERN = f"^(?!{'|'.join(_READ_BY_THE_HOST)}){_SETTING_NAME.pattern}$"


class EnvironmentSyntax(StrictModel):
    """An environment file as people write it."""

    version: Literal[1] = 1
    """The version of this form."""
    workspaces: dict[Name, str] | None = None
    """The allow-list in this environment, instead of that of the rule file."""
    connections: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Keys of connections, which replace those of the rule file; another `type` replaces all keys."""
    settings: dict[str, str] = Field(default_factory=dict)
    """The values of app settings that the app does not have; secrets are not written here."""
    modes: dict[str, Mode] = Field(default_factory=dict)
    """The mode of each rule; `all` is the mode of every other rule that is not disabled."""
    templates: dict[str, TemplateSize] = Field(default_factory=dict)
    """The sizes of deployment templates, by the path that steps name."""


NO_CHANGES = EnvironmentSyntax()


@dataclass(frozen=True, slots=True)
class RuleEnvironment:
    """An environment file: its document, and its content where that fits; nothing where there is no file."""

    document: Document
    form: EnvironmentSyntax = NO_CHANGES

    def section(self, name: str) -> dict[str, Any]:
        """A section as written, empty where it has none."""
        written = self.document.value.get(name) if isinstance(self.document.value, dict) else None
        return written if isinstance(written, dict) else {}

    def check_rules(self, ids: list[str], templates: list[str]) -> Iterator[PathProblem]:
        """The rules and templates that it names and that do not exist."""
        for name in self.section("modes"):
            if name == ALL_RULES and name in ids:
                fault = "means every rule, but one rule has this id: rename that rule"
                yield join_path("modes", name), fault
            elif name not in ids and name != ALL_RULES:
                yield join_path("modes", name), f"unknown rule '{name}'{suggest_names(name, ids)}"
        for name in self.section("templates"):
            if name not in templates:
                fault = f"no step has the template '{name}'{suggest_names(name, templates)}"
                yield join_path("templates", name), fault

    def apply(self, rules: Rules) -> Rules:
        """The rules with their modes, and the templates with their sizes, in this environment."""
        files = {name: self.apply_size(name, text) for name, text in rules.files.items()}
        return replace(rules, rules=tuple(map(self._apply_mode, rules.rules)), files=files)

    def _apply_mode(self, rule: Rule) -> Rule:
        modes = self.form.modes
        every = rule.mode if rule.mode == "disabled" else modes.get(ALL_RULES, rule.mode)
        return rule.model_copy(update={"mode": modes.get(rule.id, every)})

    def apply_size(self, name: str, text: str) -> str:
        """The text of a template with its size in this environment; any other text as it is."""
        size = self.form.templates.get(name)
        return size.apply(text) if size else text

    def edit_size(self, name: str, text: str) -> str:
        """As `apply_size`, for a check of the file."""
        size = self.form.templates.get(name)
        return size.edit(text) if size else text


NO_ENVIRONMENT = RuleEnvironment(Document("", {}))


def load_environment(rules: Path, name: str, report: Report) -> RuleEnvironment:
    """The environment of this name; reports what is wrong in it, raises RulesError if it cannot be read."""
    if not name:
        return NO_ENVIRONMENT
    document = read_document(find_environment(rules, name))
    own = replace(report, document=document)
    report.problems += document.problems
    if document.value is None and not document.broken:
        document.value = {}
    if document.broken:
        raise RulesError(report.problems)
    if not isinstance(document.value, dict):
        own.error("", "must be a mapping with sections such as 'workspaces' and 'modes'")
        raise RulesError(report.problems)
    own.errors("settings", _check_setting_names(document.value.get("settings")))
    try:
        form = EnvironmentSyntax.model_validate(document.value)
    except ValidationError as error:
        own.errors("", ErrorMessages(EnvironmentSyntax).translate(error, document.value))
        return RuleEnvironment(document)
    return RuleEnvironment(document, form)


def find_environment(rules: Path, name: str) -> Path:
    """The file of an environment; raises RulesError with the nearest name if there is none."""
    folders = _find_folders(rules)
    file = folders[0] / f"{name}.yaml"
    if not _FILE_NAME.fullmatch(name):
        fault = f"'{name}' is not a valid environment: use letters, digits, '_', '-' and '.'"
        raise RulesError([Problem(str(folders[0]), 1, 1, "", fault)])
    found = next((one / file.name for one in folders if (one / file.name).is_file()), None)
    if found:
        return found
    hint = did_you_mean(name, list_environments(rules))
    fault = f"this environment does not exist{hint}: create the file, or name another"
    raise RulesError([Problem(str(file), 1, 1, "", fault)])


def list_environments(rules: Path) -> list[str]:
    """The names of the environments that have a file, in alphabetical order."""
    return sorted({file.stem for folder in _find_folders(rules) for file in folder.glob("*.yaml")})


def has_environment(rules: Path, name: str) -> bool:
    """Whether there is a file for this environment."""
    try:
        return bool(name) and find_environment(rules, name).is_file()
    except RulesError:
        return False


def add_environment_settings(settings: Settings, rules: Path | None = None) -> Settings:
    """The settings with those of the environment's file, for values that the app does not have.

    A file that cannot be used changes nothing here: `load_rules` reports it.
    """
    if not settings.rule_environment:
        return settings
    try:
        report = Report(Document(""), settings)
        found = load_environment(rules or settings.rules, settings.rule_environment, report)
    except RulesError:
        return settings
    return replace(settings, defaults=found.form.settings)


def _find_folders(rules: Path) -> list[Path]:
    """The folders of environment files: beside the rules, and in a folder of rules."""
    return [find_project(rules) / _FOLDER, *([rules / _FOLDER] if rules.is_dir() else [])]


def _check_setting_names(section: object) -> Iterator[PathProblem]:
    for name in section if isinstance(section, Mapping) else ():
        if name.startswith(_READ_BY_THE_HOST):
            yield name, "is read before this file: set it on the Function App"
        elif not _SETTING_NAME.fullmatch(name):
            yield name, f"'{name}' is not a valid setting: use letters, digits and '_'"
