"""The waits of the app's process within an attempt, as many times shorter as time passes faster here."""

import os
import time
from collections.abc import Callable
from importlib.util import find_spec

SPEED_VARIABLE = "SANDBOX_SPEED"
"""Holds the speed, in the environment of the app's process."""


def shorten_waits() -> None:
    """Replace how this process waits. The app is loaded by then: its folder may have its own mlevents."""
    speed = float(os.environ.pop(SPEED_VARIABLE, "1"))
    if _has_module("mlevents.services.waiting"):
        from mlevents.services import waiting

        waiting.wait = divide_wait(speed)


def _has_module(name: str) -> bool:
    """Whether the app has it: some apps of tests have no mlevents, and an older one has no such module."""
    try:
        return find_spec(name) is not None  # imports the packages that it is in, and not the module
    except ModuleNotFoundError:  # one of these packages is missing
        return False


def divide_wait(speed: float) -> Callable[[float], None]:
    """A wait that is this many times shorter than asked for."""
    return lambda seconds: time.sleep(seconds / speed)
