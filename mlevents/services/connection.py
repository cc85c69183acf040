"""Connections: the services outside Azure ML that rules name, one type a file."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from mlevents.registry import Registry

if TYPE_CHECKING:
    from mlevents.services.services import Services


class SettingName(BaseModel):
    """`{setting: NAME}`: the value stands in the app setting NAME, never in the rule file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    setting: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


Text = Annotated[str, Field(min_length=1)] | SettingName
"""A text, or the app setting that holds it; `Services.text` gives the text."""


class Connection(BaseModel, ABC):
    """One connection, as written in the rule file under `connections`, without its `type`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True, slots=True)
class Message:
    """What `notify` sends. `key` is the same at every attempt to send this message."""

    subject: str
    text: str
    key: str


@runtime_checkable
class Sender(Protocol):
    """A connection that carries messages to people."""

    def send(self, message: Message, services: Services) -> str:
        """Send, and say in a few words where to; raises PermanentError or TransientError."""
        ...


connection = Registry[type[Connection]]("connection type", "mlevents.services")
