"""The sections of the rule file beyond their form: each is checked with what the others hold."""

from dataclasses import dataclass, replace
from typing import Any

from mlevents.matching.where import Where
from mlevents.rules.connections import check_connections, check_workspaces
from mlevents.rules.mistakes import report_mistakes
from mlevents.rules.report import Report
from mlevents.rules.retention_check import check_retention
from mlevents.rules.rule_check import check_rules
from mlevents.rules.rule_folder import RuleFolder
from mlevents.rules.rule_source import RuleSource
from mlevents.rules.step_check import StepCheck
from mlevents.rules.vocabulary import Vocabulary
from mlevents.yamlfile.positions import join_path


@dataclass(frozen=True, slots=True)
class RuleSections:
    """The ids of the workspaces, what the steps use, and the bound conditions of each rule."""

    workspaces: dict[str, str]
    steps: StepCheck
    wheres: list[Where | None]

    def report_unused(self, report: Report) -> None:
        """Warn of connections that no step uses, and of a list of workspaces that is empty."""
        for name in self.steps.connections:
            if name not in self.steps.used:
                text = "no step uses this connection: remove it, or use it"
                report.warn(join_path("connections", name), text)
        if not self.workspaces:
            report.warn("workspaces", "no workspace is listed: the app acts on events from every workspace")


def check_sections(
    source: RuleSource, folder: RuleFolder, vocabulary: Vocabulary, report: Report
) -> RuleSections:
    """The sections of the rules, whose steps name files of this folder; reports what is wrong in them."""
    workspaces = check_workspaces(_find_section(source, "workspaces"), report)
    section = _find_section(source, "connections")
    connections = check_connections(section, report, vocabulary.connections)
    steps = StepCheck(report, vocabulary, connections, folder, source.written)
    wheres = check_rules(source, report, steps)
    check_retention(source.written, report)
    report_mistakes(source, wheres, workspaces, vocabulary, report)
    return RuleSections(workspaces, steps, wheres)


def read_workspaces(source: RuleSource, report: Report) -> dict[str, str]:
    """The ids of the rule file's own workspaces: its tests name them in every environment."""
    silent = replace(report, require_settings=False, problems=[], warnings=[])
    return check_workspaces(_find_section(source, "workspaces"), silent)


def _find_section(source: RuleSource, name: str) -> dict[str, Any]:
    section = source.written.get(name)
    return section if isinstance(section, dict) else {}
