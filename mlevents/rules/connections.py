"""The sections that name Azure resources and services: `workspaces` and `connections`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from mlevents.registry import Registry, UnknownNameError
from mlevents.rules.report import Report
from mlevents.rules.validation_messages import ErrorMessages, describe_unknown_name
from mlevents.services.connection import Connection
from mlevents.workspace_id import WORKSPACE_ID_FORM, parse_workspace_key
from mlevents.yamlfile.positions import join_path
from mlevents.yamlfile.scalars import quote

UNSET_PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
"""Replaces a setting that is set only on Azure."""

_INSERTED = re.compile(r"\$\{(.*?)\}", re.DOTALL)
_VARIABLE = re.compile(r"\s*env\.([A-Za-z_][A-Za-z0-9_]*)\s*", re.ASCII)


def check_workspaces(section: Mapping[str, Any], report: Report) -> dict[str, str]:
    """The ARM id of each workspace; reports each value that is not a workspace id."""
    workspaces = {}
    for name, written in section.items():
        path = join_path("workspaces", name)
        if not isinstance(written, str):
            continue
        workspaces[name] = fill_settings(written, path, report)
        if parse_workspace_key(workspaces[name]) is None:
            report.error(path, f"{quote(written)} is not a workspace id: write {WORKSPACE_ID_FORM}")
    return workspaces


def check_connections(
    section: Mapping[str, Any], report: Report, types: Registry[type[Connection]]
) -> dict[str, dict[str, Any]]:
    """Each connection with its `type`, `${env.NAME}` filled in; reports what its type does not accept."""
    connections = {}
    for name, written in section.items():
        if report.is_full:
            break
        path = join_path("connections", name)
        if isinstance(written, dict):
            connections[name] = fill_settings(written, path, report)
            _check_connection(written, connections[name], path, report, types)
    return connections


def _check_connection(
    written: dict[str, Any],
    filled: dict[str, Any],
    path: str,
    report: Report,
    types: Registry[type[Connection]],
) -> None:
    for place, name in find_settings(filled, path):
        report.setting(place, name)
    kind = filled.get("type")
    if not isinstance(kind, str):
        fault = f"must be the type of the connection: write one of {', '.join(types.names())}"
        report.error(join_path(path, "type"), fault)
        return
    try:
        model = types.find(kind)
        model.model_validate({key: value for key, value in filled.items() if key != "type"})
    except UnknownNameError as error:
        report.error(join_path(path, "type"), describe_unknown_name(error, types.names()))
    except ValidationError as error:
        report.errors(path, ErrorMessages(model).translate(error, written))
    else:
        _warn_of_secrets(model, written, path, report)


def _warn_of_secrets(model: type[Connection], written: dict[str, Any], path: str, report: Report) -> None:
    for key, field in model.model_fields.items():
        if not field.repr and isinstance(written.get(key), str):
            report.warn(
                join_path(path, key), "this value is a secret: move it to an app setting ({setting: …})"
            )
        for place, name in find_settings(written.get(key), join_path(path, key)) if not field.repr else ():
            if name in report.settings.defaults:
                fault = "is a secret, and the environment file has a value for it: set it on the Function App"
                report.warn(place, f"'{name}' {fault}")


def find_settings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every `{setting: NAME}` in a value: its path and the name."""
    if isinstance(value, dict):
        if isinstance(name := value.get("setting"), str) and len(value) == 1:
            yield path, name
        for key, inner in value.items():
            yield from find_settings(inner, join_path(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from find_settings(inner, join_path(path, index))


def fill_settings(value: Any, path: str, report: Report) -> Any:
    """The value with each `${env.NAME}` replaced by that setting; reports those that are not set."""
    if isinstance(value, dict):
        return {key: fill_settings(inner, join_path(path, key), report) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_settings(inner, join_path(path, index), report) for index, inner in enumerate(value)]
    if isinstance(value, str) and "${" in value:
        return _INSERTED.sub(lambda found: _read_variable(found[1], path, report), value)
    return value


def _read_variable(expression: str, path: str, report: Report) -> str:
    variable = _VARIABLE.fullmatch(expression)
    if not variable:
        report.error(
            path, f"'${{{expression}}}' is not allowed here: use ${{env.NAME}}, the value of an app setting"
        )
        return UNSET_PLACEHOLDER
    return report.setting(path, variable[1]) or UNSET_PLACEHOLDER
