"""What the app must be allowed in Azure, by every element that there is."""

from dataclasses import dataclass

from mlevents.actions.action import Action, action
from mlevents.services.connection import Connection, connection
from mlevents.services.permission import Permission


@dataclass(frozen=True, slots=True)
class Need:
    """One element and one permission that it needs."""

    element: str
    permission: Permission


def permissions() -> tuple[Need, ...]:
    """Every need of every action and type of connection; roles and documentation must cover them."""
    elements: list[tuple[str, type[Action] | type[Connection]]] = [*action.items(), *connection.items()]
    return tuple(Need(name, one) for name, element in elements for one in element.permissions)
