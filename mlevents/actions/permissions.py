"""The rights in Azure that each action, gate and type of connection needs."""

from dataclasses import dataclass

from mlevents.actions.action import Action, action
from mlevents.gates.gate import AnyGate, gate
from mlevents.services.connection import Connection, connection
from mlevents.services.permission import MODEL_READS, READER, WORKSPACE_SCOPE, Permission


@dataclass(frozen=True, slots=True)
class Need:
    """An element, and one permission that it needs."""

    element: str
    permission: Permission


TAG_READS = Need("model.tagged", Permission(WORKSPACE_SCOPE, READER, MODEL_READS))
"""What the timer needs that compares the tags of models, where a rule asks for it."""


def permissions() -> tuple[Need, ...]:
    """Every need of every element, and that of the tag watch; roles and documentation must cover them."""
    elements: list[tuple[str, type[Action] | type[AnyGate] | type[Connection]]] = [
        *action.items(),
        *gate.items(),
        *connection.items(),
    ]
    own = (Need(name, one) for name, element in elements for one in element.permissions)
    return (*own, TAG_READS)
