"""What `doctor` finds out: one fact about one thing, and what to do where it is not as it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlevents.errors import ActionError, ConfigError
from mlevents.services.sdk_errors import clean_text


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok` is None where nobody can tell from here; `remedy` says what to do then, or when it is not ok."""

    about: str
    ok: bool | None
    said: str
    remedy: str = ""


def run_check(about: str, ask: Callable[[], str | Finding], remedy: str) -> Finding:
    """What came of asking: `ask` says what is well, and raises ActionError or ConfigError for what is not.

    Where it cannot be said so, `ask` gives the finding itself.
    """
    try:
        found = ask()
        return found if isinstance(found, Finding) else Finding(about, True, found)
    except (ActionError, ConfigError) as error:
        return Finding(about, False, clean_text(str(error)), remedy)
