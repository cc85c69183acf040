"""Reads a rule file as far as it can be read: the sandbox has what it names, also while it has errors."""

from collections.abc import Mapping
from pathlib import Path

from mlevents.errors import ConfigError
from mlevents.rules.environment_file import load_environment
from mlevents.rules.environment_sections import apply_environment
from mlevents.rules.report import Report
from mlevents.rules.rule_source import RuleSource, read_source
from mlevents.settings import Settings


def read_readable_rules(rules: Path, environment: Mapping[str, str]) -> tuple[RuleSource, Report] | None:
    """A rule file or folder with its environment applied; None for one that cannot be read."""
    try:
        settings = Settings.read(environment)
        source = read_source(rules)
        report = Report(source.document, settings, require_settings=False)
        apply_environment(load_environment(rules, settings.rule_environment, report), source, report)
    except ConfigError:
        return None
    return source, report
