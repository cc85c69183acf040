"""Hubs, queues and topics of the sandbox: who may send to which of them, as in Azure."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.eventhub import EventData, EventHubProducerClient
from azure.eventhub.exceptions import EventHubError
from azure.servicebus import ServiceBusMessage, ServiceBusSender
from azure.servicebus.exceptions import (
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
    ServiceBusAuthorizationError,
    ServiceBusServerBusyError,
)

from sandbox.azure.faults import Faults
from sandbox.azure.identity import APP, OWNER, Identity
from sandbox.azure.rights.assignments import Assignment, Rights
from sandbox.azure.stream_targets import SEND, find_stream_targets
from sandbox.inboxes.inbox import Inbox
from sandbox.listener import Listener, TcpServer, listen
from sandbox.outside_services import OutsideServices
from sandbox.tls import issue
from tests.sandbox.small_sandbox import on_loop
from tests.unit.amqp_peer import lead_host

HUBS, BUS = "ehns-ml.servicebus.windows.net", "sbns-ml.servicebus.windows.net"
TOPIC, QUEUE = "evgt-ml.westeurope-1.eventgrid.azure.net", "staudit.queue.core.windows.net"
CONNECTIONS: dict[str, dict[str, Any]] = {
    "lake": {"type": "event_hub", "namespace": {"setting": "HUBS"}, "hub": "aml-events"},
    "bus": {"type": "service_bus", "namespace": BUS, "queue": "ml-events"},
    "topic": {"type": "service_bus", "namespace": BUS, "topic": "all"},
    "grid": {"type": "event_grid", "endpoint": f"https://{TOPIC}"},
    "audit": {"type": "storage_queue", "account": "staudit", "queue": "ml-events"},
    "unset": {"type": "event_hub", "namespace": {"setting": "NONE"}, "hub": "x"},
    "mail": {"type": "smtp", "host": "smtp.example"},
}
MESSAGE = f"<QueueMessage><MessageText>{base64.b64encode(b'{}').decode()}</MessageText></QueueMessage>"
RESOURCES = {HUBS: "https://eventhubs.azure.net/", BUS: "https://servicebus.azure.net/"}
RESOURCES |= {TOPIC: "https://eventgrid.azure.net/", QUEUE: "https://storage.azure.com/"}


class Azure:
    """The services on an event loop of their own, with the rights of an app that has these connections."""

    def __init__(self, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        targets = list(find_stream_targets(CONNECTIONS, {"HUBS": HUBS}))
        self.ids = [one.id for one in targets]
        self.identity, self.inbox = Identity(), Inbox()
        self.rights = Rights(lambda: [Assignment(one.id, (SEND[one.kind],)) for one in targets])
        self.faults = Faults()
        outside = OutsideServices(self.inbox, self.identity, self.rights, self.faults)
        outside.streams.add(targets)
        certificates = issue(folder)
        self.ca = str(certificates.ca)

        async def serve() -> tuple[Listener, TcpServer]:
            web = await listen(outside.application(), context=certificates.context)
            return web, await outside.broker.serve(certificates.context)

        self.servers = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
        self.url, self.port = self.servers[0].url, self.servers[1].port

    async def close(self) -> None:
        for one in self.servers:
            await one.close()

    def token(self, who: str, resource: str) -> str:
        return self.identity.owner_token(resource) if who == OWNER else self.identity.token(resource)

    def post(self, who: str, host: str, path: str, body: str, kind: str) -> requests.Response:
        token = self.token(who, RESOURCES[host]) if who else "x"
        headers = {"Host": host, "Authorization": f"Bearer {token}", "Content-Type": kind}
        return requests.post(f"{self.url}/{path}", body, headers=headers, verify=self.ca, timeout=5)


class Credential:
    """The identity of a caller, for the real SDKs."""

    def __init__(self, azure: Azure, who: str, resource: str = "") -> None:
        self.azure, self.who, self.resource = azure, who, resource

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        resource = self.resource or scopes[0].removesuffix(".default")
        return AccessToken(self.azure.token(self.who, resource), 4_000_000_000)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    with on_loop() as loop:
        found = Azure(loop, tmp_path_factory.mktemp("azure"))
        yield found
        asyncio.run_coroutine_threadsafe(found.close(), loop).result(10)


@pytest.fixture(autouse=True)
def as_at_first(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for host in (HUBS, BUS):
        lead_host(host, azure.port, monkeypatch)
    azure.inbox.messages.clear()
    yield
    azure.rights.restore()


def send_to_bus(azure: Azure, who: str, resource: str = "", **entity: str) -> None:
    options: dict[str, Any] = {**entity, "connection_verify": azure.ca, "retry_total": 0, "keep_alive": 0}
    with ServiceBusSender(BUS, Credential(azure, who, resource), **options) as sender:
        sender.send_messages(ServiceBusMessage(b'{"subject": "s"}', message_id="m", session_id="n"))


def send_to_hub(azure: Azure, who: str, hub: str = "aml-events") -> None:
    options: dict[str, Any] = {"connection_verify": azure.ca, "retry_total": 0}
    with EventHubProducerClient(HUBS, hub, Credential(azure, who), **options) as client:
        client.send_batch([EventData("text"), EventData("{}")], partition_key="k")


def test_messages_arrive_in_the_inbox(azure: Azure):
    send_to_bus(azure, APP, queue_name="ML-Events")
    send_to_bus(azure, APP, topic_name="all")
    send_to_hub(azure, APP)
    queue, topic, first, second = azure.inbox.messages
    assert (queue["via"], queue["to"], queue["subject"]) == ("service_bus", [f"{BUS}/ML-Events"], "s")
    assert queue["headers"] == {"message-id": "m", "session-id": "n"}
    assert topic["to"] == [f"{BUS}/all"]
    assert [(one["via"], one["body"]) for one in (first, second)] == [
        ("event_hub", "text"),
        ("event_hub", {}),
    ]
    assert first["headers"]["partition-key"] == second["headers"]["partition-key"] == "k"


def test_without_the_role_nothing_is_taken(azure: Azure):
    for id in azure.ids:
        azure.rights.replace(APP, id, [{"actions": ["Microsoft.ServiceBus/namespaces/read"]}])
    with pytest.raises(ServiceBusAuthorizationError, match="'Send' claim"):
        send_to_bus(azure, APP, queue_name="ml-events")
    with pytest.raises(EventHubError, match="'Send' claim"):
        send_to_hub(azure, APP)
    assert azure.inbox.messages == []


def test_an_entity_that_no_connection_names_does_not_exist(azure: Azure):
    with pytest.raises(ServiceBusAuthorizationError):
        send_to_bus(azure, APP, queue_name="other")
    with pytest.raises(MessagingEntityNotFoundError, match=f"sb://{BUS}/other' could not be found"):
        send_to_bus(azure, OWNER, queue_name="other")
    with pytest.raises(EventHubError, match="could not be found"):
        send_to_hub(azure, OWNER, "other")


@pytest.mark.parametrize(
    ("status", "error"), [(503, ServiceBusServerBusyError), (404, MessagingEntityNotFoundError)]
)
def test_a_fault_refuses_a_message(azure: Azure, status: int, error: type[Exception]):
    azure.faults.add({"match": "SEND /ml-events", "status": status})
    with pytest.raises(error):
        send_to_bus(azure, APP, queue_name="ml-events")
    assert azure.inbox.messages == []
    send_to_bus(azure, APP, queue_name="ml-events")
    assert len(azure.inbox.messages) == 1


def test_a_token_for_another_service_is_refused(azure: Azure):
    with pytest.raises(ServiceBusAuthenticationError):
        send_to_bus(azure, APP, "https://eventhubs.azure.net/", queue_name="ml-events")


@pytest.mark.parametrize(
    ("who", "queue", "role", "answered"),
    [
        (APP, "ml-events", True, (201, None)),
        ("", "ml-events", True, (401, "InvalidAuthenticationInfo")),
        (APP, "ml-events", False, (403, "AuthorizationPermissionMismatch")),
        (APP, "other", True, (403, "AuthorizationPermissionMismatch")),
        (OWNER, "other", True, (404, "QueueNotFound")),
    ],
)
def test_a_storage_queue_checks_token_role_and_name(
    azure: Azure, who: str, queue: str, role: bool, answered: tuple[int, str | None]
):
    for id in azure.ids if not role else ():
        azure.rights.replace(APP, id, [])
    answer = azure.post(who, QUEUE, f"{queue}/messages", MESSAGE, "application/xml")
    assert (answer.status_code, answer.headers.get("x-ms-error-code")) == answered
    assert len(azure.inbox.messages) == (answered[0] == 201)


@pytest.mark.parametrize(
    ("who", "path", "role", "status"),
    [
        (APP, "api/events", True, 200),
        ("", "api/events", True, 401),
        (APP, "api/events", False, 403),
        (OWNER, "api/other", True, 404),
    ],
)
def test_a_topic_checks_token_role_and_name(azure: Azure, who: str, path: str, role: bool, status: int):
    for id in azure.ids if not role else ():
        azure.rights.replace(APP, id, [])
    answer = azure.post(who, TOPIC, path, json.dumps([{}]), "application/cloudevents-batch+json")
    assert answer.status_code == status
    assert len(azure.inbox.messages) == (status == 200)


def test_a_resource_has_one_id_and_a_missing_setting_names_none(azure: Azure):
    assert [one.partition("/providers/")[2] for one in azure.ids] == [
        "Microsoft.EventHub/namespaces/ehns-ml/eventhubs/aml-events",
        "Microsoft.ServiceBus/namespaces/sbns-ml/queues/ml-events",
        "Microsoft.ServiceBus/namespaces/sbns-ml/topics/all",
        "Microsoft.EventGrid/topics/evgt-ml",
        "Microsoft.Storage/storageAccounts/staudit/queueServices/default/queues/ml-events",
    ]
