"""The order of the orchestrations that wait for one lease."""

from dataclasses import dataclass

from mlevents.orchestration.json_message import JsonMessage


@dataclass(frozen=True, slots=True)
class WaitingOrder(JsonMessage):
    """Of one `key`, the newest `by` goes on."""

    key: str
    by: str
