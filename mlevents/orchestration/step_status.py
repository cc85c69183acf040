"""The custom status of a step's orchestrator, for people to read while it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlevents.orchestration.json_message import JsonMessage, read_each


@dataclass(frozen=True, slots=True)
class PhaseRecord(JsonMessage):
    """One phase of a step: its name, how many seconds it took so far, and its latest detail."""

    phase: str
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class StepStatus(JsonMessage):
    """How far a step is: `waiting` names the gate that it waits for, `log` are lines of its target's log.

    `watched` is the number of the phase under way, where it holds for some time and may be promoted.
    """

    detail: str | None = None
    phases: tuple[PhaseRecord, ...] = ()
    waiting: str | None = None
    log: tuple[str, ...] = ()
    watched: int | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "phases": read_each(PhaseRecord.from_json),
        "log": tuple,
    }
