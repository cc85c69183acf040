"""A run that another service performs, and what such a service has that can start and list runs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import JsonValue

from mlevents.errors import RefusedError

KEY_INPUT = "mlevents_response"
"""The input, parameter or key of a payload that holds the step's key."""
KEY_HEAD = "mlevents-"
"""With what the key of every step begins."""


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """One run; `conclusion` is None until it has ended, `succeeded` says whether it ended well."""

    id: int
    link: str
    state: str = "started"
    conclusion: str | None = None
    succeeded: bool = False


@dataclass(frozen=True, slots=True)
class Recognition:
    """The runs that are those of a step, and how they were recognised; none where there are none."""

    runs: tuple[RemoteRun, ...]
    reason: str = "recognised by this response's key"


class RemoteRuns(ABC):
    """Where one step starts its run; its text names what is started."""

    service: ClassVar[str]

    @abstractmethod
    def read_time(self) -> datetime:
        """The service's time; raises PermanentError for what cannot be started."""

    @abstractmethod
    def list_ids(self, since: datetime) -> list[int]:
        """The runs since a time."""

    @abstractmethod
    def send(self, marked: bool) -> RemoteRun | None:
        """Start a run, with the key where it is `marked`; None where the service does not name the run.

        Raises LostAnswerError when it may have been started all the same.
        """

    @abstractmethod
    def lacks_key_input(self, error: RefusedError) -> bool:
        """Whether it was refused only because nothing declares the input with the key."""

    @abstractmethod
    def find_by_key(self, since: datetime) -> Recognition:
        """The runs with the step's key."""

    @abstractmethod
    def find_by_circumstances(self, since: datetime, before: Collection[int]) -> Recognition:
        """The runs with the key, else a new one without any key that fits.

        Raises PermanentError when more than one fits.
        """

    @abstractmethod
    def read(self, run_id: int) -> RemoteRun:
        """A run, as it is now."""

    @abstractmethod
    def describe_failed_parts(self, run: RemoteRun) -> str:
        """What made a run fail; empty where that is unknown."""


def write_input(value: JsonValue) -> str:
    """The text of an input: services take texts only, and read `true`, numbers and JSON from them."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
