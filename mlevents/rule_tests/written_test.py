"""Writes a test of the rule file from an event: what is seen once becomes what is expected from now on."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from mlevents.canonical import canonical_resource_id
from mlevents.events import Event
from mlevents.rule_tests.event_builder import build_event
from mlevents.rule_tests.name_check import WORKSPACE_KEY

_LEFT_OUT = ("event", WORKSPACE_KEY)


def write_test(event: Event, matching: Iterable[str], workspaces: Mapping[str, str]) -> str:
    """The YAML of a test for `tests:`, which says that exactly these rules match the event.

    What a test must not give, because it is computed from the rest, is left out.
    """
    kind = event.kinds[-1] if event.kinds else event.type
    names: dict[str, Any] = {
        root: dict(fields) for root, fields in event.names.items() if root not in _LEFT_OUT and fields
    }
    topic = canonical_resource_id(event.topic)
    for alias, known in workspaces.items():
        if canonical_resource_id(known) == topic:
            names[WORKSPACE_KEY] = alias
    problems = build_event({kind: names}, workspaces, None)
    for path, _ in problems if isinstance(problems, list) else ():
        _remove(names, path.removeprefix(f"{kind}."))
    test = {
        "name": f"{kind} {event.subject}",
        "given": {kind: names},
        "expect": {"only": list(matching)},
    }
    return yaml.safe_dump([test], sort_keys=False, allow_unicode=True, width=100)


def _remove(names: dict[str, Any], path: str) -> None:
    root, _, name = path.partition(".")
    fields = names.get(root)
    if isinstance(fields, dict):
        fields.pop(name, None)
