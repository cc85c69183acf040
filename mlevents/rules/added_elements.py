"""The elements that code from outside mlevents registers, with what is wrong with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from mlevents.actions.action import action
from mlevents.conditions.condition import operator
from mlevents.errors import Problem
from mlevents.events.event_type import event_type
from mlevents.gates.gate import gate
from mlevents.matching.where import COMBINATORS
from mlevents.registry import Registry
from mlevents.rules.extension_faults import place_element
from mlevents.rules.syntax import RuleSyntax
from mlevents.services.connection import connection
from mlevents.services.sdk_errors import clean_text

_REGISTRIES: tuple[Registry[Any], ...] = (action, operator, gate, connection, event_type)


@dataclass(frozen=True, slots=True)
class AddedElement:
    """An element, and where it is registered."""

    registry: Registry[Any]
    name: str
    element: type

    def register(self) -> None:
        """Make it known by its name."""
        self.registry(self.name)(self.element)

    def remove(self) -> None:
        """Forget it."""
        self.registry.remove(self.name)


class ElementWatch:
    """Finds what is registered after it was made."""

    def __init__(self) -> None:
        self._known = {(registry.kind, name) for registry in _REGISTRIES for name in registry.names()}

    def list_added(self) -> list[AddedElement]:
        """The elements that have been added, by kind and name."""
        return [
            AddedElement(registry, name, element)
            for registry in _REGISTRIES
            for name, element in registry.items()
            if (registry.kind, name) not in self._known
        ]


def check_elements(added: list[AddedElement]) -> Iterator[Problem]:
    """What is wrong with these elements beyond what their decorators refuse."""
    for one in added:
        if fault := _find_fault(one.registry.kind, one.name, one.element):
            yield place_element(one.element, fault)


def _find_fault(kind: str, name: str, element: type) -> str | None:
    if kind == event_type.kind:
        return "an event type cannot be an extension: use the events that Azure ML publishes"
    reserved = {operator.kind: {*COMBINATORS}, gate.kind: {*RuleSyntax.model_fields}}
    if name in reserved.get(kind, ()):
        return f"the {kind} '{name}' has the name of a key of the rule language: rename it"
    if not issubclass(element, BaseModel):
        return None
    if kind == connection.kind and "type" in element.model_fields:
        return f"the {kind} '{name}' has a field 'type', the key that names the type: rename the field"
    try:
        element.model_json_schema()
    except PydanticUserError as error:
        fault = clean_text(str(error).partition("\n\n")[0]).rstrip(".")
        return f"the {kind} '{name}' has a field that YAML cannot hold: {fault}: give it a type such as `str`"
    return None
