"""The Azure function that takes the events of each type, as the event types declare it."""

from mlevents.canonical import fold
from mlevents.events.event_type import EventType, event_type


def functions() -> dict[str, type[EventType]]:
    """The event type of each Azure function, by the function's name.

    Raises ValueError when two types name one function: the Functions host compares names without case.
    """
    return {function: known for function, (_, known) in _by_function().items()}


def wire_types() -> dict[str, str]:
    """The type on the wire of each Azure function, by the function's name."""
    return {function: wire_type for function, (wire_type, _) in _by_function().items()}


def function_of(wire_type: str) -> str | None:
    """The function that takes events of this type on the wire, whatever its case; None when none does."""
    found = (name for name, known in wire_types().items() if fold(known) == fold(wire_type))
    return next(found, None)


def is_own_type(wire_type: str) -> bool:
    """Whether mlevents publishes the events of this type itself, so that Event Grid has none."""
    return any(fold(wire) == fold(wire_type) and not known.from_azure for wire, known in event_type.items())


def _by_function() -> dict[str, tuple[str, type[EventType]]]:
    found: dict[str, tuple[str, type[EventType]]] = {}
    names: dict[str, str] = {}
    for wire_type, known in event_type.items():
        if not known.from_azure:
            continue
        function = known.function or wire_type.rpartition(".")[2]
        if fold(function) in names:
            other = names[fold(function)]
            raise ValueError(f"the event types {other} and {wire_type} name one function, '{function}'")
        names[fold(function)] = wire_type
        found[function] = wire_type, known
    return found
