"""What is derived from rules once a process, not once an event."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

SOURCES_KEPT = 8
"""The sources that one function remembers; the app has one rule file, the commands compare a few."""


@dataclass(frozen=True, slots=True, eq=False)
class _Identity:
    """A cache key that compares by identity: comparing thousands of rules is slow."""

    source: Any

    def __hash__(self) -> int:
        return id(self.source)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.source is other.source


def derive_once[S, T](derive: Callable[[S], T]) -> Callable[[S], T]:
    """Remember what a function derives from one value that never changes, such as the loaded rules."""

    @lru_cache(maxsize=SOURCES_KEPT)
    def remember(key: _Identity) -> T:
        return derive(key.source)

    @wraps(derive)
    def look_up(source: S) -> T:
        return remember(_Identity(source))

    return look_up
