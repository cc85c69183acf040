"""What the normalised names mean to people who write rules, as each event type declares it."""

from collections.abc import Mapping
from inspect import getdoc

from mlevents.events.event_type import event_type

ROOT_DESCRIPTIONS: Mapping[str, str] = {
    "event": "The event itself: id, type, time and subject.",
    "workspace": "The workspace that published the event.",
    "model": "The registered model.",
    "deployment": "The service that models were deployed to.",
    "run": "The run: a job, or a step or trial of one.",
    "drift": "The drift that a monitor found, with its worst breach.",
}
_EVERYWHERE: Mapping[tuple[str, ...], str] = {
    ("event", "id"): "The id of the event; a second delivery of it has the same.",
    ("event", "type"): "The name of the event in rules, such as model.registered.",
    ("event", "time"): "When it was published, in UTC, such as 2026-03-02T09:15:27Z.",
    ("event", "subject"): "Event Grid's subject, such as models/fraud-net:8.",
    ("workspace", "name"): "The name of the workspace in Azure, not its name in this file.",
    ("workspace", "resource_group"): "The resource group of the workspace.",
    ("workspace", "subscription"): "The id of its subscription: a GUID.",
    ("workspace", "id"): "Its ARM id: /subscriptions/…/workspaces/NAME.",
}


def describe_events() -> dict[str, str]:
    """What each event says, by its name: the first sentence of its type, or of the type it comes with."""
    described: dict[str, str] = {}
    for _, known in event_type.items():
        own = (getdoc(known) or "").partition("\n\n")[0]
        described = {kind: own for kind in known.kinds()} | described | {known.kind: own}
    return described


def describe_fields() -> dict[tuple[str, ...], str]:
    """The meaning of each normalised name, by root and field, and the name below that where there is one."""
    described = dict(_EVERYWHERE)
    for _, known in event_type.items():
        for root, fields in known.all_fields().items():
            for name, one in fields.items():
                described.update({(root, name): one.description} if one.description else {})
                described.update({(root, name, inner): text for inner, text in one.below.items()})
    return described
