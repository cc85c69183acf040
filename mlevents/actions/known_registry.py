"""The registry of a model that a deployment names by its id, if a connection of the rule file knows it."""

from mlevents.services.machine_learning.model_registry import ModelRegistry
from mlevents.services.machine_learning.registry_connection import ModelRegistryConnection
from mlevents.services.services import Services


def find_registry(name: str, services: Services) -> ModelRegistry | None:
    """The registry of this name, if a connection names it."""
    for one in services.list_connections():
        if isinstance(one, ModelRegistryConnection) and one.id.rpartition("/")[2].lower() == name.lower():
            return one.open(services)
    return None
