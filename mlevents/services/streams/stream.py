"""What every connection has that `forward` sends to."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from mlevents.errors import PermanentError
from mlevents.services.connection import Connection, SettingSource


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One event to send. `key` is the same at every attempt of the step that sends it.

    `content` is the JSON that is sent, and `body` its text in UTF-8. A service that drops repeats knows them
    by `message_id`.
    """

    key: str
    content: Any
    body: bytes
    media_type: str
    partition_key: str | None = None
    session: str | None = None
    subject: str | None = None
    message_id: str | None = None


class Stream(Connection):
    """A service that takes events.

    `options` are the parameters of `forward` that this service has a place for. `cloud_events_only` says
    that it takes no other JSON, `has_own_subject` that a message has a subject beside its content.
    """

    options: ClassVar[tuple[str, ...]] = ()
    cloud_events_only: ClassVar[bool] = False
    has_own_subject: ClassVar[bool] = False

    @abstractmethod
    def forward(self, message: StreamMessage, services: SettingSource) -> str:
        """Send one event, and return where it went; raises PermanentError or TransientError."""


def require_fit(size: int, limit: int, what: str) -> None:
    """Raise PermanentError for a message that the service cannot take; both numbers are bytes."""
    if size > limit:
        raise PermanentError(
            f"the message has {size:,} bytes, and {what} takes at most {limit:,}: "
            "send less with `data`, such as the id of the run"
        )
