"""A function of the app as the host knows it, and what can go wrong with one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

DURABLE_CLIENT = "durableClient"
SCRIPT_SETTING = "PYTHON_SCRIPT_FILE_NAME"


class WorkerError(Exception):
    """The app cannot be indexed or loaded; the message holds the worker's own, with the stack."""


class FunctionError(Exception):
    """A function raised: `kind` is the exception's class name, and `text` what it said."""

    def __init__(self, message: str, stack: str = "") -> None:
        kind, _, text = message.partition(": ")
        self.kind, self.text, self.stack = kind, text, stack
        super().__init__(message)


class WorkerLostError(FunctionError):
    """The worker's process ended while the function ran."""


@dataclass(frozen=True)
class Function:
    """One function of the app, with its bindings as function.json would hold them."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]

    @cached_property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that wakes the function."""
        return next(binding for binding in self.bindings if binding["type"].endswith("Trigger"))

    @cached_property
    def clients(self) -> tuple[str, ...]:
        """The parameters that take a durable client."""
        return tuple(one["name"] for one in self.bindings if one["type"] == DURABLE_CLIENT)


def check_names(names: Iterable[str]) -> None:
    """Raise WorkerError, in the host's words, when two names differ in case only.

    The host generates one method for each function, and its index of methods ignores case. Seen in
    the Functions host 4.1037.
    """
    known = list(names)
    counts = Counter(name.casefold() for name in known)
    twice = [name for name in sorted(known) if counts[name.casefold()] > 1]
    if twice:
        raise WorkerError(
            "Method overloads are not supported. There are multiple methods with the name "
            f"'Host.Functions.{twice[-1]}'. Sequence contains more than one matching element: "
            f"{', '.join(twice)} differ in case only; rename all but one"
        )
