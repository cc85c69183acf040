"""Connections: the services outside Azure ML that rules name. Each type has its own file."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

from pydantic import ConfigDict, Field

from mlevents.registry import Registry
from mlevents.services.finding import Finding
from mlevents.services.permission import Permission
from mlevents.settings import Settings
from mlevents.yamlfile.described_model import DescribedModel
from mlevents.yamlfile.fixed_text import FixedText


@dataclass(frozen=True, slots=True)
class ConnectionName(FixedText):
    """Marks a parameter that names a connection of one of these types; none given: any that sends."""

    types: tuple[str, ...] = ()


class SettingName(DescribedModel):
    """`{setting: NAME}`: the app setting NAME holds the value, not the rule file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    setting: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    """name an app setting of the Function App."""


Text = Annotated[str, Field(min_length=1)] | SettingName
"""A text, or the app setting that holds it; `Services.text` gives the text."""


class SettingSource(Protocol):
    """What resolves the `{setting: NAME}` of a connection: `Services`."""

    settings: Settings

    def text(self, value: str | SettingName) -> str:
        """The text, or the value of its app setting; raises ConfigError for a setting that is not set."""
        ...


def describe_value(value: str | SettingName | int, text: object) -> str:
    """A value for a message: as in the rule file, or the name of its app setting (perhaps a secret)."""
    return (
        f"the value of the app setting '{value.setting}'" if isinstance(value, SettingName) else f"'{text}'"
    )


def find_setting_names(written: Any) -> Iterator[str]:
    """The name in every `{setting: NAME}` of a part of a rule file."""
    if isinstance(written, Mapping):
        if isinstance(name := written.get("setting"), str) and len(written) == 1:
            yield name
        for inner in written.values():
            yield from find_setting_names(inner)
    elif isinstance(written, list):
        for inner in written:
            yield from find_setting_names(inner)


class Connection(DescribedModel, ABC):
    """One connection, as written in the rule file under `connections`, without its `type`.

    `permissions` are what the app needs to use it, besides what an action needs. A step may need one that is
    `implicit` without naming it, such as the registry of a model.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    permissions: ClassVar[tuple[Permission, ...]] = ()
    implicit: ClassVar[bool] = False

    @property
    def resource(self) -> str | None:
        """The ARM id of its resource; None for a service without one."""
        return None

    def find_fault(self, environment: Mapping[str, str], unsafe: bool = False) -> str | None:  # noqa: ARG002
        """Why nothing can be sent to it, as far as known when rules load; None if nothing is known."""
        return None

    def preflight(self, services: SettingSource) -> Iterator[Finding]:  # noqa: ARG002 - a type may need them
        """Check whether it would work, without sending anything; by default there is no check."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Message:
    """The message that `notify` sends. `key` is the same at every attempt to send it.

    `links` are beginnings of addresses that stay links: those of mlevents, and those in the rule file. Each
    holds a complete host and a slash, so that nothing can be appended to the host. `unsafe` accepts services
    that may treat text as markup. `incident` is the key of the incident that the message is about, empty if
    there is none; `resolve` says that the incident is over.
    """

    subject: str
    text: str
    key: str
    links: tuple[str, ...] = ()
    unsafe: bool = False
    incident: str = ""
    resolve: bool = False


@runtime_checkable
class Sender(Protocol):
    """A connection that sends messages to people."""

    def send(self, message: Message, services: SettingSource) -> str:
        """Send, and return a short description of the receiver; raises PermanentError or TransientError."""
        ...


connection = Registry[type[Connection]]("connection type", "mlevents.services", Connection)


def is_implicit(written: Mapping[str, Any]) -> bool:
    """Whether a connection, with its `type`, is of a type that steps may need without naming it."""
    kind = str(written.get("type"))
    return kind in connection and connection.find(kind).implicit
