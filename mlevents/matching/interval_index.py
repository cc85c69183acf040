"""Numbers of rules by intervals: which contain a value."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

type Entry = tuple[Any, Any, int]
"""The two ends of an interval, both included, and the number of its rule; None is no limit."""


class _Branch(NamedTuple):
    """The middle one of some intervals by their lower ends; `top` is the greatest upper end of all."""

    entry: Entry
    top: Any
    left: _Branch | None
    right: _Branch | None


class IntervalIndex:
    """Intervals of values that can be compared; a search takes the logarithm of their number."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        known = list(entries)
        from_low = sorted(((low, number) for low, high, number in known if high is None), key=_end)
        to_high = sorted(((high, number) for low, high, number in known if low is None), key=_end)
        both = [one for one in known if one[0] is not None and one[1] is not None]
        self._lows, self._from_low = _columns(from_low)
        self._highs, self._to_high = _columns(to_high)
        self._root = _branch(sorted(both, key=_end))

    def collect(self, value: Any, found: set[int]) -> None:
        """Add the numbers of the intervals that contain the value."""
        if self._lows:
            found.update(self._from_low[: bisect_right(self._lows, value)])
        if self._highs:
            found.update(self._to_high[bisect_left(self._highs, value) :])
        waiting = [self._root] if self._root and value <= self._root.top else []
        while waiting:
            (low, high, number), _, left, right = waiting.pop()
            if left and value <= left.top:
                waiting.append(left)
            if low <= value:
                if value <= high:
                    found.add(number)
                if right and value <= right.top:
                    waiting.append(right)


def _end(entry: Sequence[Any]) -> Any:
    return entry[0]


def _columns(pairs: Sequence[tuple[Any, int]]) -> tuple[list[Any], list[int]]:
    return [end for end, _ in pairs], [number for _, number in pairs]


def _branch(entries: Sequence[Entry]) -> _Branch | None:
    if not entries:
        return None
    middle = len(entries) // 2
    left, right = _branch(entries[:middle]), _branch(entries[middle + 1 :])
    top = max([entries[middle][1], *(side.top for side in (left, right) if side)])
    return _Branch(entries[middle], top, left, right)
