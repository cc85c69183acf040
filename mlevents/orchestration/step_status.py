"""The custom status of a step's orchestrator, for people to read while it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlevents.orchestration.json_message import Json, JsonMessage, read_each


@dataclass(frozen=True, slots=True)
class CheckReading(JsonMessage):
    """The latest value of one check of a phase; seconds for a latency, a part of 1 for a rate.

    `min` and `max` are its limits, those that are factors of the `stable` deployment's value multiplied out.
    `values` are the latest values of the phase, this one last.
    """

    metric: str
    verdict: str
    value: float | None = None
    min: float | None = None
    max: float | None = None
    stable: float | None = None
    values: tuple[float, ...] = ()

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"values": tuple}


@dataclass(frozen=True, slots=True)
class PhaseRecord(JsonMessage):
    """One phase of a step: its name, how many seconds it took so far, its latest detail and readings.

    `traffic` are the percents of the deployments that serve.
    """

    phase: str
    seconds: float
    detail: str
    checks: tuple[CheckReading, ...] = ()
    traffic: Mapping[str, int] = field(default_factory=dict)

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"checks": read_each(CheckReading.from_json)}


@dataclass(frozen=True, slots=True)
class StepStatus(JsonMessage):
    """How far a step is: `waiting` names the gate that it waits for, `log` are lines of its target's log.

    `watched` is the number of the phase under way, where it holds for some time and may be promoted.
    `approval` is the latest approval that the step asked for.
    """

    detail: str | None = None
    phases: tuple[PhaseRecord, ...] = ()
    waiting: str | None = None
    log: tuple[str, ...] = ()
    watched: int | None = None
    approval: Json = field(default_factory=dict)

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "phases": read_each(PhaseRecord.from_json),
        "log": tuple,
    }
