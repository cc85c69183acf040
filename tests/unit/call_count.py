"""What a piece of work costs, counted in calls: a time would be another one on each machine."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def count_python_calls[T](work: Callable[[], T]) -> tuple[int, T]:
    """The calls of Python functions that it takes, and its result."""
    calls = 0

    def count(_: FrameType, event: str, __: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        result = work()
    finally:
        sys.setprofile(before)
    return calls, result
