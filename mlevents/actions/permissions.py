"""The rights in Azure that each action, gate and type of connection needs."""

from dataclasses import dataclass

from mlevents.actions.action import Action, action
from mlevents.gates.gate import AnyGate, gate
from mlevents.services.connection import Connection, connection
from mlevents.services.permission import Permission


@dataclass(frozen=True, slots=True)
class Need:
    """An element, and one permission that it needs."""

    element: str
    permission: Permission


def permissions() -> tuple[Need, ...]:
    """Every need of every action, gate and connection type; roles and documentation must cover them."""
    elements: list[tuple[str, type[Action] | type[AnyGate] | type[Connection]]] = [
        *action.items(),
        *gate.items(),
        *connection.items(),
    ]
    return tuple(Need(name, one) for name, element in elements for one in element.permissions)
