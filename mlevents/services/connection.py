"""Connections: the services outside Azure ML that rules name, one type a file."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from mlevents.registry import Registry
from mlevents.services.finding import Finding
from mlevents.services.permission import Permission

if TYPE_CHECKING:
    from mlevents.services.services import Services


class SettingName(BaseModel):
    """`{setting: NAME}`: the value stands in the app setting NAME, never in the rule file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    setting: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


Text = Annotated[str, Field(min_length=1)] | SettingName
"""A text, or the app setting that holds it; `Services.text` gives the text."""


def describe_value(value: str | SettingName | int, text: object) -> str:
    """A value in a message: as it is in the rule file, or by its app setting, which may hold a secret."""
    return f"what the app setting '{value.setting}' holds" if isinstance(value, SettingName) else f"'{text}'"


def find_setting_names(written: Any) -> Iterator[str]:
    """The name in every `{setting: NAME}` of what stands in a rule file."""
    if isinstance(written, Mapping):
        if isinstance(name := written.get("setting"), str) and len(written) == 1:
            yield name
        for inner in written.values():
            yield from find_setting_names(inner)
    elif isinstance(written, list):
        for inner in written:
            yield from find_setting_names(inner)


class Connection(BaseModel, ABC):
    """One connection, as written in the rule file under `connections`, without its `type`.

    `permissions` are what the app must be allowed to use it, beyond what an action needs of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    permissions: ClassVar[tuple[Permission, ...]] = ()

    @property
    def resource(self) -> str | None:
        """The ARM id of what it leads to, where it is named by one."""
        return None

    def fault(self, environment: Mapping[str, str], unsafe: bool = False) -> str | None:  # noqa: ARG002
        """What keeps it from being sent to, known when rules load; None for nothing, or not known yet."""
        return None

    def examine(self, services: Services) -> Iterator[Finding]:  # noqa: ARG002 - a type may need them
        """Look, without sending anything, whether it would work; nothing unless a type knows how."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Message:
    """What `notify` sends. `key` is the same at every attempt to send this message.

    `links` are beginnings of addresses that may stay links in a chat: ours, and those that the rule file
    writes out. `unsafe` accepts services of which it is not known what they make of text.
    """

    subject: str
    text: str
    key: str
    links: tuple[str, ...] = ()
    unsafe: bool = False


@runtime_checkable
class Sender(Protocol):
    """A connection that carries messages to people."""

    def send(self, message: Message, services: Services) -> str:
        """Send, and say in a few words where to; raises PermanentError or TransientError."""
        ...


connection = Registry[type[Connection]]("connection type", "mlevents.services")
