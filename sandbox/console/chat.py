"""The inbox as a chat: each message, with the connection that sent it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlevents.errors import RulesError
from mlevents.rules.connections import find_settings
from mlevents.rules.rule_source import read_source
from sandbox.azure.stream_targets import SEND, find_stream_targets
from sandbox.console.message_text import TextPart, split_message

LATEST = 100
MAIL_TYPES = {"email": "email", "smtp": "smtp"}
"""The connection type that sends a mail, by the way on which it arrived."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A connection of the rules, and what identifies its messages: `paths`, `addresses` or a `stream`."""

    name: str
    kind: str
    paths: frozenset[str]
    addresses: frozenset[str]
    stream: str = ""

    def has_sent(self, message: Mapping[str, Any]) -> bool:
        """Whether a message is one of this connection's."""
        if message["via"] in MAIL_TYPES:
            same_kind = self.kind == MAIL_TYPES[message["via"]]
            return same_kind and (not self.addresses or message["from"] in self.addresses)
        if self.stream:
            return self.stream.lower() in {str(one).lower() for one in message["to"]}
        return bool(self.paths & {part for one in message["to"] for part in str(one).split("/")})


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message for a template."""

    sender: str
    via: str
    to: str
    subject: str
    parts: list[TextPart]
    received: str


def read_senders(rules: Path, settings: Mapping[str, str]) -> list[Sender]:
    """The connections of the rule file or folder; `settings` are those that the sandbox chose."""
    try:
        written = read_source(rules).written.get("connections")
    except RulesError:
        return []
    listed = written.items() if isinstance(written, dict) else ()
    return [_read_sender(str(name), one, settings) for name, one in listed if isinstance(one, dict)]


def list_chat(messages: Iterable[Mapping[str, Any]], senders: Iterable[Sender]) -> list[ChatMessage]:
    """The latest messages, the newest last."""
    known = list(senders)
    return [_build_message(one, known) for one in list(messages)[-LATEST:]]


def _build_message(message: Mapping[str, Any], senders: Iterable[Sender]) -> ChatMessage:
    names = [one.name for one in senders if one.has_sent(message)]
    to = ", ".join(str(one).partition("?")[0] for one in message["to"])
    text, body = message["text"], message["body"]
    if not text and (isinstance(body, str) or message["via"] in SEND):
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return ChatMessage(
        " or ".join(names) or message["from"] or to,
        "mail" if message["via"] in MAIL_TYPES else str(message["via"]).replace("_", " "),
        to,
        message["subject"],
        split_message(str(text)),
        message["received"],
    )


def _read_sender(name: str, written: Mapping[str, Any], settings: Mapping[str, str]) -> Sender:
    values = {
        key: settings.get(setting, "")
        for key, one in written.items()
        for _, setting in find_settings(one, key)
    }
    literal = {key: one for key, one in written.items() if isinstance(one, str)}
    addresses = {one["sender"] for one in (values, literal) if one.get("sender")}
    paths = set(_list_path_parts([*values.values(), *literal.values()]))
    streams = [f"{one.host}/{one.path}" for one in find_stream_targets({name: written}, settings)]
    return Sender(name, str(written.get("type")), frozenset(paths), frozenset(addresses), "".join(streams))


def _list_path_parts(values: Iterable[str]) -> Iterator[str]:
    """The parts of the paths of addresses, and their hosts: names lead to the inbox."""
    for value in values:
        if "://" in value:
            address = urlsplit(value)
            yield from (part for part in address.path.split("/") if part)
            if address.hostname and not address.hostname.startswith("127."):
                yield address.hostname
