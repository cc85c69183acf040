"""Problems of a rule file for programs: JSON, GitHub's workflow commands, and SARIF 2.1.0."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mlevents.commands.problem_text import RatedProblem
from mlevents.errors import Problem
from mlevents.rules.remedy import split_remedy

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_RULES = {
    "rule-file": "A mistake in the rule file.",
    "unset-setting": "An app setting that the rule file names is not set.",
}
_GITHUB_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY_ESCAPES = {**_GITHUB_ESCAPES, ":": "%3A", ",": "%2C"}


def problem_json(problem: Problem, severity: str) -> dict[str, Any]:
    """The problem for `--json`; `text` is the message with its hint."""
    fields = {name: value for name, value in asdict(problem).items() if name != "setting"}
    message, hint = split_remedy(fields.pop("text"))
    told = {"text": problem.text, "message": message, "hint": hint, "severity": severity}
    return {**fields, **told}


def github_lines(findings: Iterable[RatedProblem]) -> list[str]:
    """A workflow command for each problem: GitHub shows it at its line of a pull request.

    Source of the form: docs.github.com, "Workflow commands for GitHub Actions".
    """
    return [_github_line(problem, severity) for problem, severity in findings]


def sarif_log(findings: Sequence[RatedProblem]) -> dict[str, Any]:
    """One SARIF log with one run: code scanning takes it, and most CI systems."""
    driver = {
        "name": "mlevents",
        "version": _product_version(),
        "rules": [{"id": name, "shortDescription": {"text": about}} for name, about in _SARIF_RULES.items()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(*finding) for finding in findings],
    }
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _github_line(problem: Problem, severity: str) -> str:
    title = problem.readable_path or "rule file"
    properties = {
        "file": _relative(problem.file),
        "line": str(problem.line),
        "col": str(problem.column),
        "title": title,
    }
    written = ",".join(f"{name}={_escape(text, _PROPERTY_ESCAPES)}" for name, text in properties.items())
    return f"::{severity} {written}::{_escape(problem.text, _GITHUB_ESCAPES)}"


def _escape(text: str, escapes: dict[str, str]) -> str:
    return re.sub("|".join(escapes), lambda found: escapes[found[0]], text)


def _sarif_result(problem: Problem, severity: str) -> dict[str, Any]:
    name = "unset-setting" if problem.setting else "rule-file"
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": _sarif_file(problem.file),
            "region": {"startLine": problem.line, "startColumn": problem.column},
        }
    }
    if problem.path:
        place["logicalLocations"] = [{"fullyQualifiedName": problem.readable_path}]
    return {
        "ruleId": name,
        "ruleIndex": list(_SARIF_RULES).index(name),
        "level": severity,
        "message": {"text": problem.text},
        "locations": [place],
    }


def _sarif_file(file: str) -> dict[str, str]:
    """The address of the file: below the root of the sources, or complete."""
    relative = _relative(file)
    if Path(relative).is_absolute():
        return {"uri": Path(relative).as_uri()}
    return {"uri": quote(relative), "uriBaseId": "%SRCROOT%"}


def _relative(file: str) -> str:
    """The file below the working directory, with slashes; as it is when it is elsewhere."""
    path = Path(file)
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def _product_version() -> str:
    try:
        return version("mlevents")
    except PackageNotFoundError:
        return "0"
