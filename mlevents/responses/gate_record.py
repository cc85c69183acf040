"""What each gate said of a response, for people to read."""

from dataclasses import dataclass, field

from mlevents.orchestration.json_message import Json, JsonMessage

PASSED, WAITING, STOPPED, FAILED = "passed", "waiting", "stopped", "failed"


@dataclass(frozen=True, slots=True)
class GateRecord(JsonMessage):
    """One gate: its `status` is passed, waiting, stopped or failed; `detail` says why.

    `until` is when its wait ends (ISO 8601). `about` is what the gate keeps for the API, and no view shows.
    """

    gate: str
    status: str
    detail: str = ""
    until: str | None = None
    about: Json = field(default_factory=dict)
