"""The messages between orchestrations and the entity EndpointLease, and the state of the entity."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlevents.orchestration.json_message import Json, JsonMessage, read_each, read_each_value, read_optional
from mlevents.orchestration.waiting_order import WaitingOrder


@dataclass(frozen=True, slots=True, order=True)
class StatementNumber(JsonMessage):
    """When an orchestration began (ISO 8601) and how many statements it has made: greater is later."""

    began: str
    count: int


@dataclass(frozen=True, slots=True)
class InstanceNumber(JsonMessage):
    """The latest known statement of an instance."""

    id: str
    number: StatementNumber

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"number": StatementNumber.from_json}


@dataclass(frozen=True, slots=True)
class Statement(JsonMessage):
    """One statement of the orchestration `id`; see `endpoint_lease` for the operations.

    `ttl` is for how many seconds it may be silent, null for as long as it runs. `order` is its place among
    those that wait. `holder` is the latest statement of the holder from whom it takes over; `gone` are the
    tickets of orchestrations that have ended.
    """

    id: str
    number: StatementNumber
    ttl: float | None = None
    order: WaitingOrder | None = None
    record: Json | None = None
    holder: InstanceNumber | None = None
    gone: tuple[InstanceNumber, ...] = ()

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "number": StatementNumber.from_json,
        "order": read_optional(WaitingOrder.from_json),
        "holder": read_optional(InstanceNumber.from_json),
        "gone": read_each(InstanceNumber.from_json),
    }


@dataclass(frozen=True, slots=True)
class Holder(JsonMessage):
    """Who holds the endpoint, since which statement, and for how many seconds it may be silent."""

    id: str
    number: StatementNumber
    ttl: float | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"number": StatementNumber.from_json}

    @property
    def latest(self) -> InstanceNumber:
        """Its latest statement."""
        return InstanceNumber(self.id, self.number)


@dataclass(frozen=True, slots=True)
class Ticket(JsonMessage):
    """Who waits for the endpoint, since which statement, with its order where it has one."""

    id: str
    number: StatementNumber
    order: WaitingOrder | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "number": StatementNumber.from_json,
        "order": read_optional(WaitingOrder.from_json),
    }

    @property
    def latest(self) -> InstanceNumber:
        """Its latest statement."""
        return InstanceNumber(self.id, self.number)


@dataclass(frozen=True, slots=True)
class LeaseClaim(JsonMessage):
    """What an orchestration claims: that it, `id`, has the lease with this key."""

    key: str
    id: str


@dataclass(frozen=True, slots=True)
class LeaseIntent:
    """What an orchestration wants of a free endpoint: for how many seconds, and with which record."""

    seconds: float
    record: JsonMessage | None


@dataclass(frozen=True, slots=True)
class LeaseView(JsonMessage):
    """What an orchestration may know of a lease: `record` for the holder alone, if there is one.

    `completed` is the one that has completed, if `record` is still its own.
    """

    holder: Holder | None = None
    waiting: tuple[Ticket, ...] = ()
    record: Json | None = None
    completed: str | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "holder": read_optional(Holder.from_json),
        "waiting": read_each(Ticket.from_json),
    }


@dataclass(slots=True)
class LeaseState(JsonMessage):
    """What the entity keeps: the holder and its record, who waits, and the last number of each instance.

    `completed` is the one that has completed, if `record` is still its own.
    """

    holder: Holder | None
    record: Json | None
    waiting: dict[str, Ticket]
    known: dict[str, StatementNumber]
    completed: str | None = None

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "holder": read_optional(Holder.from_json),
        "waiting": read_each_value(Ticket.from_json),
        "known": read_each_value(StatementNumber.from_json),
    }
