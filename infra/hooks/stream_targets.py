"""What `forward`, or an action of your own, sends to: there the app gets the role of a sender."""

import json
from collections.abc import Iterator, Mapping, Sequence

from infra.hooks.needs import ArmId
from infra.hooks.programs import ROOT

TARGETS = ROOT / "infra" / "targets.json"
"""A list of resource ids. Optional."""
PROVIDERS = {
    "event_hub": "Microsoft.EventHub",
    "service_bus": "Microsoft.ServiceBus",
    "event_grid": "Microsoft.EventGrid",
    "storage_queue": "Microsoft.Storage",
}
"""The provider of what a connection of each type sends to."""


def read_targets() -> list[str]:
    """The resource ids of the file."""
    return json.loads(TARGETS.read_text(encoding="utf-8")) if TARGETS.exists() else []


def find_missing_targets(users: Mapping[str, Sequence[str]], targets: Sequence[str]) -> Iterator[str]:
    """A sentence for each type of connection that rules use and that has no target; `users` by element."""
    known = {ArmId(one).provider for one in targets}
    for kind, provider in PROVIDERS.items():
        if users.get(kind) and provider.casefold() not in known:
            rules = ", ".join(users[kind])
            fact = f"{rules}: sends by a connection of type {kind}, and infra/targets.json has no {provider}"
            yield f"{fact}: add the resource id, or give the app's identity the role of a sender yourself"
