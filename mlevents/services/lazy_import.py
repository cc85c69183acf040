"""Importing an SDK: late, so that a cold start does not pay for it, and by one thread at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.RLock()


@contextmanager
def import_lock() -> Iterator[None]:
    """Stand around every import of an SDK inside a function.

    The SDKs' packages import each other in circles. When two threads begin at different ends, Python
    breaks the deadlock by handing one of them a half-made module: ImportError, "partially initialized".
    """
    with _lock:
        yield
