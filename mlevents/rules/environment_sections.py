"""The sections of the rule file as an environment changes them; each value keeps its own file and line."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlevents.registry import suggest_names
from mlevents.rules.environment_file import RuleEnvironment
from mlevents.rules.report import Report
from mlevents.rules.rule_source import RuleSource
from mlevents.yamlfile.positions import join_path

WORKSPACES, CONNECTIONS = "workspaces", "connections"


def apply_environment(environment: RuleEnvironment, source: RuleSource, report: Report) -> None:
    """Put the workspaces and connections of an environment into the rules as written."""
    merged, written = source.document, environment.document.value
    if isinstance(written.get(WORKSPACES), dict):
        merged.value[WORKSPACES] = written[WORKSPACES]
        for path in [path for path in merged.origins if path.startswith(f"{WORKSPACES}.")]:
            del merged.origins[path]
        merged.origins[WORKSPACES] = environment.document, WORKSPACES
    own = replace(report, document=environment.document)
    for name, keys in environment.section(CONNECTIONS).items():
        path = join_path(CONNECTIONS, name)
        known = merged.value.get(CONNECTIONS) or {}
        if name not in known:
            own.error(path, f"unknown connection '{name}'{suggest_names(name, known)}")
        elif isinstance(keys, dict) and isinstance(known[name], dict):
            _replace_keys(environment, source, path, keys)


def _replace_keys(
    environment: RuleEnvironment, source: RuleSource, path: str, keys: Mapping[str, Any]
) -> None:
    merged = source.document
    name = path.removeprefix(f"{CONNECTIONS}.")
    before = merged.value[CONNECTIONS][name]
    is_other = keys.get("type", before.get("type")) != before.get("type")
    merged.value[CONNECTIONS] = {
        **merged.value[CONNECTIONS],
        name: dict(keys) if is_other else {**before, **keys},
    }
    for place in [path] if is_other else [join_path(path, key) for key in keys]:
        merged.origins[place] = environment.document, place
