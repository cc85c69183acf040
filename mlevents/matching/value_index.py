"""Numbers of rules by what the value of one field must have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from mlevents.canonical import fold
from mlevents.conditions.lookup import AnyValue, Equal, Head, Interval, Lookup, Middle, NoValue, Tail
from mlevents.matching.interval_index import IntervalIndex

type _Numbers[Key] = dict[Key, list[int]]

LONGEST_PART = 16
"""Characters of a part that are looked for; a longer one is found by its beginning."""


class ValueIndex:
    """The rules with lookups on one field."""

    def __init__(self, entries: Iterable[tuple[Lookup, int]]) -> None:
        self.missing: list[int] = []
        self._present: list[int] = []
        self._equal: _Numbers[object] = defaultdict(list)
        cuts: dict[slice, _Numbers[str]] = defaultdict(lambda: defaultdict(list))
        parts: dict[int, _Numbers[str]] = defaultdict(lambda: defaultdict(list))
        intervals: dict[Callable[[object], Any], list[tuple[Any, Any, int]]] = defaultdict(list)
        for lookup, number in entries:
            match lookup:
                case Interval(read, low, high):
                    intervals[read].append((low, high, number))
                case Middle(text):
                    part = text[:LONGEST_PART]
                    parts[len(part)][part].append(number)
                case AnyValue():
                    self._present.append(number)
                case NoValue():
                    self.missing.append(number)
                case Equal(str(text)) | Head(text) | Tail(text):
                    cuts[_cut(lookup)][text].append(number)
                case Equal(value):
                    self._equal[value].append(number)
        self._cuts, self._parts = list(cuts.items()), list(parts.items())
        self._intervals = [(read, IntervalIndex(known)) for read, known in intervals.items()]

    def collect(self, value: Any, found: set[int]) -> None:
        """Add the numbers of the rules that this value may fulfil; of a list, that any of its items may.

        None is no value, and a list without items counts as none.
        """
        if self.missing and (value is None or value == []):
            found.update(self.missing)
        if value is None:
            return
        if self._present:
            found.update(self._present)
        for one in value if isinstance(value, list) else (value,):
            for read, intervals in self._intervals:
                if (key := read(one)) is not None:
                    intervals.collect(key, found)
            if isinstance(one, str):
                if self._cuts or self._parts:
                    self._collect_text(fold(one), found)
            elif isinstance(one, bool | int | float):
                found.update(self._equal.get(one, ()))

    def _collect_text(self, text: str, found: set[int]) -> None:
        for cut, known in self._cuts:
            if numbers := known.get(text[cut]):
                found.update(numbers)
        for length, known in self._parts:
            places = len(text) - length + 1
            if len(known) < places:
                for part, numbers in known.items():
                    if part in text:
                        found.update(numbers)
            else:
                for at in range(places):
                    if numbers := known.get(text[at : at + length]):
                        found.update(numbers)


def _cut(lookup: Equal | Head | Tail) -> slice:
    """The part of a text that a lookup compares with its own."""
    match lookup:
        case Head(text):
            return slice(len(text))
        case Tail(text):
            return slice(-len(text), None)
    return slice(None)
