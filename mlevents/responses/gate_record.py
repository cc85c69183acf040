"""What each gate said of a response, for people to read."""

from dataclasses import dataclass

from mlevents.orchestration.json_message import JsonMessage

PASSED, WAITING, STOPPED, FAILED = "passed", "waiting", "stopped", "failed"


@dataclass(frozen=True, slots=True)
class GateRecord(JsonMessage):
    """One gate: its `status` is passed, waiting, stopped or failed; `detail` says why."""

    gate: str
    status: str
    detail: str = ""
