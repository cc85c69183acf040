"""Loading the rule file: rules that are ready to match, or every problem in it at once."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlevents.errors import Problem, RulesError
from mlevents.rules.connections import check_connections, check_workspaces
from mlevents.rules.folder import RuleFolder
from mlevents.rules.model import Rules
from mlevents.rules.ready import ready, ready_defaults
from mlevents.rules.report import Report
from mlevents.rules.rule_check import check_rules
from mlevents.rules.steps import StepCheck
from mlevents.rules.syntax import FileText
from mlevents.rules.vocabulary import VOCABULARY, Vocabulary
from mlevents.rules.wording import Wording, quote
from mlevents.rules.yaml_text import compose
from mlevents.settings import Settings


def load(
    path: Path, settings: Settings, *, require_settings: bool = True, vocabulary: Vocabulary = VOCABULARY
) -> Rules:
    """The rules of a file; raises RulesError with every problem in it, or the reason it cannot be read.

    Without `require_settings`, app settings that are not set are warnings: so a file can be checked
    on another machine than the app's.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RulesError([Problem(str(path), 1, 1, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise RulesError([_undecodable(path, error)]) from error
    return loads(text, path, settings, require_settings=require_settings, vocabulary=vocabulary)


def loads(
    text: str,
    path: Path,
    settings: Settings,
    *,
    require_settings: bool = True,
    vocabulary: Vocabulary = VOCABULARY,
) -> Rules:
    """The rules in a text; `path` names it in problems, and the files that steps name stand beside it."""
    document = compose(text, str(path))
    report = Report(document, settings, require_settings, document.problems)
    if document.broken:
        raise RulesError(report.problems)
    if not isinstance(document.value, dict):
        found = (
            "the file is empty"
            if document.value is None
            else f"must be a mapping, not {quote(document.value)}"
        )
        report.error("", f"{found}: begin with 'version: 1'")
        raise RulesError(report.problems)
    return _rules(document.value, path, report, vocabulary)


def _rules(written: dict[str, Any], path: Path, report: Report, vocabulary: Vocabulary) -> Rules:
    form = _form(written, report)
    workspaces = check_workspaces(_section(written, "workspaces"), report)
    connections = check_connections(_section(written, "connections"), report, vocabulary.connections)
    steps = StepCheck(report, vocabulary, connections, RuleFolder(path.parent))
    wheres = check_rules(written, report, steps)
    if report.problems or form is None:
        raise RulesError(list(dict.fromkeys(report.problems)), report.warnings)
    defaults = ready_defaults(form.defaults)
    rules = tuple(ready(rule, where, defaults) for rule, where in zip(form.rules, wheres, strict=True))
    return Rules(rules, workspaces, connections, defaults, path, tuple(sorted(report.warnings)))


def _form(written: dict[str, Any], report: Report) -> FileText | None:
    """The file by its models alone; None after reporting what does not fit."""
    try:
        return FileText.model_validate(written)
    except ValidationError as error:
        report.errors("", Wording(FileText).findings(error, written))
        return None


def _section(written: dict[str, Any], name: str) -> dict[str, Any]:
    section = written.get(name)
    return section if isinstance(section, dict) else {}


def _undecodable(path: Path, error: UnicodeDecodeError) -> Problem:
    before = error.object[: error.start].decode("utf-8", "replace").splitlines(keepends=False) or [""]
    byte = error.object[error.start]
    text = f"the byte 0x{byte:02x} is no UTF-8: save the file as UTF-8"
    return Problem(str(path), len(before), len(before[-1]) + 1, "", text)
