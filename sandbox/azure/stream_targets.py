"""What events are sent to: hubs, queues and topics. Here those exist that the rules' connections name."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.azure.workspace import SUBSCRIPTION_ID

PROVIDERS = f"{SUBSCRIPTION_ID}/resourceGroups/rg-streams/providers"
SEND = {
    "event_hub": "Microsoft.EventHub/namespaces/messages/send/action",
    "service_bus": "Microsoft.ServiceBus/namespaces/messages/send/action",
    "event_grid": "Microsoft.EventGrid/events/send/action",
    "storage_queue": "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action",
}
"""The data action of the role of a sender, by type of connection."""


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """A hub, queue or topic: the type of its connections, where senders find it, and its ARM id."""

    kind: str
    host: str
    path: str
    id: str


def find_stream_targets(
    connections: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str]
) -> Iterator[StreamTarget]:
    """The targets that connections name, with the settings of the app; a name that is missing names none."""
    for one in connections.values():
        describe = _DESCRIBERS.get(str(one.get("type")))
        texts = {key: _read_text(value, environment) for key, value in one.items()}
        if describe and (target := describe({key: text for key, text in texts.items() if text})):
            yield target


def split_address(address: str) -> tuple[str, str]:
    """The host and the path of an address, without the slashes around it."""
    parts = urlsplit(address)
    return (parts.hostname or "").lower(), parts.path.strip("/")


class StreamTargets:
    """The targets that exist. Those of earlier rules stay."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], StreamTarget] = {}

    def add(self, targets: Iterable[StreamTarget]) -> None:
        """Create the targets that are not there yet."""
        for one in targets:
            self._known.setdefault((one.host.lower(), one.path.lower()), one)

    def find(self, host: str, path: str) -> StreamTarget | None:
        """The target at this place, whatever the case of its name."""
        return self._known.get((host.lower(), path.lower()))

    def find_kind(self, host: str) -> str | None:
        """The type of connection of the targets at a host."""
        return next((one.kind for (known, _), one in self._known.items() if known == host.lower()), None)


def _read_text(value: Any, environment: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        return environment.get(str(value.get("setting")), "")
    return value if isinstance(value, str) else ""


def _describe_hub(one: Mapping[str, str]) -> StreamTarget | None:
    namespace, hub = one.get("namespace", ""), one.get("hub")
    id = f"{PROVIDERS}/Microsoft.EventHub/namespaces/{namespace.partition('.')[0]}/eventhubs/{hub}"
    return StreamTarget("event_hub", namespace, hub, id) if namespace and hub else None


def _describe_service_bus(one: Mapping[str, str]) -> StreamTarget | None:
    namespace, kind = one.get("namespace", ""), "queues" if "queue" in one else "topics"
    name = one.get("queue") or one.get("topic")
    id = f"{PROVIDERS}/Microsoft.ServiceBus/namespaces/{namespace.partition('.')[0]}/{kind}/{name}"
    return StreamTarget("service_bus", namespace, name, id) if namespace and name else None


def _describe_topic(one: Mapping[str, str]) -> StreamTarget | None:
    host, path = split_address(one.get("endpoint", ""))
    id = f"{PROVIDERS}/Microsoft.EventGrid/topics/{host.partition('.')[0]}"
    return StreamTarget("event_grid", host, path or "api/events", id) if host else None


def _describe_storage_queue(one: Mapping[str, str]) -> StreamTarget | None:
    account, queue = one.get("account", ""), one.get("queue")
    host = split_address(account)[0] if "://" in account else f"{account}.queue.core.windows.net"
    parent = f"{PROVIDERS}/Microsoft.Storage/storageAccounts/{host.partition('.')[0]}"
    id = f"{parent}/queueServices/default/queues/{queue}"
    return StreamTarget("storage_queue", host, queue, id) if account and queue else None


_DESCRIBERS: Mapping[str, Callable[[Mapping[str, str]], StreamTarget | None]] = {
    "event_hub": _describe_hub,
    "service_bus": _describe_service_bus,
    "event_grid": _describe_topic,
    "storage_queue": _describe_storage_queue,
}
