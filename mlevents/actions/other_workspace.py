"""The workspace in which a step acts: that of the event, or one that a connection names."""

from mlevents.actions.action import StepContext
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.workspace_client import MachineLearning
from mlevents.services.machine_learning.workspace_connection import WorkspaceConnection
from mlevents.services.services import Services


def open_other_workspace(name: str, services: Services) -> MachineLearning:
    """The workspace of the connection of this name; raises PermanentError for one of another type."""
    found = services.connection(name)
    if isinstance(found, WorkspaceConnection):
        return services.machine_learning(found.id)
    raise PermanentError(f"the connection '{name}' is not of type ml_workspace: name one that is")


def open_workspace_of_step(name: str | None, context: StepContext, services: Services) -> MachineLearning:
    """The workspace of the connection of this name; without a name, that of the event."""
    if name is None:
        return services.machine_learning(context.event.topic)
    return open_other_workspace(name, services)
