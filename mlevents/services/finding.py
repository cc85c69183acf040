"""A finding of `doctor`: one fact about one resource, and the remedy if something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlevents.errors import ActionError, ConfigError
from mlevents.services.sdk_errors import clean_text


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok` is None for what cannot be checked here; `remedy` says what to do then, or when it is False."""

    about: str
    ok: bool | None
    said: str
    remedy: str = ""


def run_check(about: str, ask: Callable[[], str | Finding], remedy: str) -> Finding:
    """The finding of a check: `ask` returns the text of a good result, and raises ActionError or ConfigError.

    For a result that is neither, `ask` returns the finding itself.
    """
    try:
        found = ask()
        return found if isinstance(found, Finding) else Finding(about, True, found)
    except (ActionError, ConfigError) as error:
        return Finding(about, False, clean_text(str(error)), remedy)
