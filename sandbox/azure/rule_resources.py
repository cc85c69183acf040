"""The resources that a rule file names, which the sandbox therefore has."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlevents.rules.connections import check_workspaces, fill_settings
from mlevents.rules.report import Report
from mlevents.services.connection import connection
from mlevents.workspace_id import parse_workspace_key
from sandbox.azure.stream_targets import StreamTarget, find_stream_targets
from sandbox.rule_reading import read_readable_rules

TARGETS = ("ml_registry", "ml_workspace")
PIPELINE_ACTION = "run_data_factory_pipeline"
MARK = "mlevents_response"
"""The parameter by which the app recognises the runs that it has started."""


@dataclass(frozen=True, slots=True)
class RuleResources:
    """ARM ids: of the workspaces by alias, and of the factories with the parameters of each pipeline.

    `targets` are those of the connections to registries and to other workspaces, by their type. `streams` are
    the hubs, queues and topics to which events are sent.
    """

    workspaces: Mapping[str, str] = field(default_factory=dict)
    factories: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(TARGETS, ()))
    streams: tuple[StreamTarget, ...] = ()

    @classmethod
    def read(cls, rules: Path, environment: Mapping[str, str]) -> "RuleResources":
        """Those of a rule file or folder with these settings; none of one that cannot be read."""
        readable = read_readable_rules(rules, environment)
        if readable is None:
            return cls()
        source, report = readable
        listed = source.written.get("workspaces")
        found = check_workspaces(listed if isinstance(listed, dict) else {}, report)
        workspaces = {str(name): id.rstrip("/") for name, id in found.items() if parse_workspace_key(id)}
        targets = {
            kind: tuple(id for _, id in _find_connections(source.written, kind, report)) for kind in TARGETS
        }
        streams = find_stream_targets(_fill_connections(source.written, report), environment)
        return cls(workspaces, dict(_find_factories(source.written, report)), targets, tuple(streams))


def _find_connections(written: Mapping[str, Any], kind: str, report: Report) -> Iterator[tuple[str, str]]:
    """The name and the ARM id of each connection of a type, but for those with an invalid id."""
    connections = written.get("connections")
    for name, one in (connections if isinstance(connections, dict) else {}).items():
        if isinstance(one, dict) and one.get("type") == kind and isinstance(one.get("id"), str):
            with suppress(ValueError):
                found = connection.find(kind).model_validate({"id": fill_settings(one["id"], "", report)})
                yield name, str(found.resource)


def _fill_connections(written: Mapping[str, Any], report: Report) -> dict[str, dict[str, Any]]:
    connections = written.get("connections")
    known = connections.items() if isinstance(connections, dict) else ()
    return {str(name): fill_settings(one, "", report) for name, one in known if isinstance(one, dict)}


def _find_factories(
    written: Mapping[str, Any], report: Report
) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    for name, id in _find_connections(written, "data_factory", report):
        steps = [one for one in _find_steps(written) if one.get("connection") == name]
        yield id, {str(one["pipeline"]): _list_parameters(one) for one in steps if one.get("pipeline")}


def _find_steps(value: Any) -> Iterator[dict[str, Any]]:
    """The parameters of each step that runs a pipeline of a factory, wherever it is."""
    if isinstance(value, dict):
        if value.get("uses") == PIPELINE_ACTION and isinstance(value.get("with"), dict):
            yield value["with"]
        for inner in value.values():
            yield from _find_steps(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _find_steps(inner)


def _list_parameters(step: Mapping[str, Any]) -> tuple[str, ...]:
    parameters = step.get("parameters")
    names = [str(name) for name in parameters] if isinstance(parameters, dict) else []
    return (*names, MARK)
