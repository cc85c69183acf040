"""Actions whose receiver drops a second message of one event, although it came from another step."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar


class SharedReceiver:
    """An action that may send to a receiver which takes one message of each event.

    `shared_receiver_parameters` are added to its step, where it leaves them out and another step may send the
    same event there.
    """

    shared_receiver_parameters: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    @abstractmethod
    def find_shared_receiver(
        cls, written: Mapping[str, Any], connections: Mapping[str, Mapping[str, Any]]
    ) -> str | None:
        """Such a receiver of a step with these parameters; equal texts name the same one."""
