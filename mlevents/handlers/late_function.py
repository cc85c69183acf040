"""Functions that are imported when they are first called, so that a starting worker loads none of them."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pkgutil import resolve_name
from typing import Any

from mlevents.errors import ConfigError
from mlevents.services.lazy_import import import_lock
from mlevents.settings import Settings


def late_function(place: str) -> Callable[..., Any]:
    """What stands for the function at a place such as `mlevents.responses.respond:respond_to_event`."""

    def call(*values: Any) -> Any:
        return load_function(place)(*values)

    call.__name__ = place.rpartition(":")[2]
    return call


@cache
def load_function(place: str) -> Callable[..., Any]:
    """The function at a place.

    Own elements are registered before it is imported: a response may go on in a new worker.
    """
    with import_lock():
        register_own_elements()
        found: Callable[..., Any] = resolve_name(place)
    return found


@cache
def register_own_elements() -> None:
    """Import the extensions beside the rules, once a process; a delivery says what is wrong in them."""
    from mlevents.rules.extensions import load_extensions

    with suppress(ConfigError):
        load_extensions(Settings.read().rules)
