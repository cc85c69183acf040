"""What is derived from rules once a process, not once an event."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps

SOURCES_KEPT = 8
"""The sources that one function remembers; the app has one rule file, the commands compare a few."""


def derive_once[S, T](derive: Callable[[S], T]) -> Callable[[S], T]:
    """Remember what a function derives from one value that never changes, such as the loaded rules.

    Sources are compared by identity, because comparing thousands of rules is slow.
    """
    kept: OrderedDict[int, tuple[S, T]] = OrderedDict()

    @wraps(derive)
    def look_up(source: S) -> T:
        known = kept.get(id(source))
        if known is None:  # a source that is kept keeps its id
            known = source, derive(source)
            if len(kept) >= SOURCES_KEPT:
                kept.popitem(last=False)
            kept[id(source)] = known
        return known[1]

    return look_up
