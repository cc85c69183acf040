"""Imports of SDKs: late, so that a cold start does not load them, and in one thread at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()


@contextmanager
def import_lock() -> Iterator[None]:
    """Put this around every import of an SDK inside a function.

    The SDKs' packages import each other in circles. When two threads start at different places, Python
    avoids the deadlock with a module that is not complete: ImportError, "partially initialized".
    """
    with _lock:
        yield
