"""An event for trying rules: what nobody says has a default, and its time is now."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlevents.rule_tests.event_arguments import ArgumentError
from mlevents.rule_tests.event_builder import BuiltEvent, build_document
from mlevents.rule_tests.event_defaults import fill_defaults
from mlevents.rule_tests.name_check import WORKSPACE_KEY


def build_trial_event(
    kind: str, said: Mapping[str, Mapping[str, Any]], workspace: str, now: datetime
) -> BuiltEvent:
    """The event of `mlevents event`, from the workspace with this ARM id; raises ArgumentError."""
    return build_publication(kind, fill_defaults(kind, said), workspace, now)


def build_publication(
    kind: str, names: Mapping[str, Mapping[str, Any]], workspace: str, now: datetime
) -> BuiltEvent:
    """The event that says these names and no others, with a new id; raises ArgumentError."""
    given: dict[str, Any] = {root: dict(fields) for root, fields in names.items() if root != WORKSPACE_KEY}
    given["event"] = {"id": str(uuid.uuid4()), **given.get("event", {})}
    alias = workspace.rpartition("/")[2]
    built = build_document({kind: {**given, WORKSPACE_KEY: alias}}, {alias: workspace}, now.isoformat())
    if not isinstance(built, BuiltEvent):
        raise ArgumentError("\n".join(f"{path.removeprefix(f'{kind}.')}: {text}" for path, text in built))
    return BuiltEvent({**built.document, "dataVersion": "2", "metadataVersion": "1"}, built.event)
