"""Event Hubs and Service Bus over AMQP, by their hosts: what arrives is listed in the inbox.

A token is checked when it is put. When a sender opens its link, the role of the token's owner is checked, and
then whether the hub, queue or topic exists. What speaks AMQP is loaded with the first connection.
"""

import asyncio
import json
import ssl
from contextlib import suppress
from typing import Any

from sandbox.amqp.refusal import Refusal
from sandbox.azure.fault_request import FaultRequest
from sandbox.azure.faults import Faults
from sandbox.azure.identity import Identity, TokenError
from sandbox.azure.rights.assignments import Rights
from sandbox.azure.stream_targets import SEND, StreamTargets, split_address
from sandbox.azure.workspace import SUBSCRIPTION_ID
from sandbox.inboxes.inbox import Inbox
from sandbox.listener import HOST, TcpServer

AUDIENCES = {
    "event_hub": ("https://eventhubs.azure.net", "https://servicebus.azure.net"),
    "service_bus": ("https://servicebus.azure.net",),
}
LARGEST = {"event_hub": 1_048_576, "service_bus": 262_144}
"""Bytes of a message in the tier Standard, by type of connection."""
SERVICE_BUS = "service_bus"
MANAGEMENT = "/$management"
PIECE = 65_536
CONDITIONS = {
    401: "amqp:unauthorized-access",
    403: "amqp:unauthorized-access",
    404: "amqp:not-found",
    408: "com.microsoft:timeout",
    429: "com.microsoft:server-busy",
    503: "com.microsoft:server-busy",
}
"""The condition of a fault that is requested with an HTTP status; any other is an internal error."""


class MessageBroker:
    """Takes what is sent to hubs, queues and topics. A fault for `SEND /NAME` refuses or drops a message."""

    def __init__(
        self, inbox: Inbox, identity: Identity, rights: Rights, targets: StreamTargets, faults: Faults
    ) -> None:
        self._inbox, self._identity, self._faults = inbox, identity, faults
        self._rights, self._targets = rights, targets

    async def serve(self, context: ssl.SSLContext) -> TcpServer:
        """Take connections on a free port of 127.0.0.1."""
        return TcpServer(await asyncio.start_server(self._converse, HOST, 0, ssl=context))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from sandbox.amqp.conversation import Conversation

        with suppress(OSError):
            conversation = Conversation(self)
            while not conversation.closed and (data := await reader.read(PIECE)):
                writer.write(conversation.receive(data))
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def find_limit(self, address: str) -> int:
        """The most bytes of a message."""
        return LARGEST[self._find_kind(address)]

    def take_token(self, audience: str, token: str) -> tuple[int, str]:
        """202 for a token that was issued here for this service, else 401."""
        try:
            self._identity.check(f"Bearer {token}", AUDIENCES[self._find_kind(audience)])
        except TokenError as error:
            return 401, f"{error.code}: {error}"
        return 202, "Accepted"

    def find_refusal(self, address: str, tokens: dict[str, str]) -> Refusal | None:
        """Why a link to the address is refused to the owner of these tokens."""
        place = split_address(address.removesuffix(MANAGEMENT))
        named = f"sb://{'/'.join(place)}"
        token = next((one for audience, one in tokens.items() if split_address(audience) == place), "")
        target = self._targets.find(*place)
        who, scope = self._identity.who(f"Bearer {token}"), target.id if target else SUBSCRIPTION_ID
        if not self._rights.allowed(who, SEND[self._find_kind(address)], scope):
            text = "Unauthorized access. 'Send' claim(s) are required to perform this operation."
            return Refusal("amqp:unauthorized-access", f"{text} Resource: '{named}'.")
        if target is None:
            return Refusal("amqp:not-found", f"The messaging entity '{named}' could not be found.")
        return None

    def take_message(self, address: str, messages: list[Any]) -> Refusal | None:
        """Put the messages of one transfer into the inbox, unless a fault was requested."""
        host, path = split_address(address)
        fault = self._faults.take(f"SEND /{path}")
        if fault is None or fault.after:
            for one in messages:
                self._put(self._find_kind(address), f"{host}/{path}", one)
        return None if fault is None else _refuse(fault)

    def _find_kind(self, address: str) -> str:
        return self._targets.find_kind(split_address(address)[0]) or SERVICE_BUS

    def _put(self, kind: str, place: str, message: Any) -> None:
        properties, annotations = message.properties, message.message_annotations or {}
        known = {
            "message-id": properties and properties.message_id,
            "session-id": properties and properties.group_id,
            "content-type": properties and properties.content_type,
            "partition-key": annotations.get(b"x-opt-partition-key"),
        }
        body = _read_body(b"".join(message.data or ()))
        said = properties.subject if properties else None
        said = said or (body.get("subject") if isinstance(body, dict) else None)
        headers = {name: _text(value) for name, value in known.items() if value}
        self._inbox.put(kind, to=[place], subject=_text(said or ""), body=body, headers=headers)


def _refuse(fault: FaultRequest) -> Refusal | None:
    if fault.drop:
        raise ConnectionAbortedError
    if fault.status is None:
        return None
    condition = CONDITIONS.get(fault.status, "amqp:internal-error")
    return Refusal(condition, f"A fault was requested: {fault.pattern.pattern}")


def _read_body(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
