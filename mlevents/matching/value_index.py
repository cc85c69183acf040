"""Numbers of rules by what the value of one field must have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from mlevents.canonical import fold
from mlevents.conditions.lookup import AnyValue, Equal, Head, Interval, Lookup, Middle, NoValue, Tail
from mlevents.matching.interval_index import IntervalIndex

LONGEST_PART = 16
"""Characters of a part that are looked for; a longer one is found by its beginning."""


class ValueIndex:
    """The rules with lookups on one field."""

    def __init__(self, entries: Iterable[tuple[Lookup, int]]) -> None:
        self.missing: list[int] = []
        self._present: list[int] = []
        self._equal: dict[object, list[int]] = defaultdict(list)
        self._heads: dict[int, dict[str, list[int]]] = {}
        self._tails: dict[int, dict[str, list[int]]] = {}
        self._parts: dict[int, dict[str, list[int]]] = {}
        read: dict[Callable[[object], Any], list[tuple[Any, Any, int]]] = defaultdict(list)
        for lookup, number in entries:
            match lookup:
                case Equal(value):
                    self._equal[value].append(number)
                case Head(text):
                    _add(self._heads, text, number)
                case Tail(text):
                    _add(self._tails, text, number)
                case Middle(text):
                    _add(self._parts, text[:LONGEST_PART], number)
                case Interval():
                    read[lookup.read].append((lookup.low, lookup.high, number))
                case AnyValue():
                    self._present.append(number)
                case NoValue():
                    self.missing.append(number)
        self._intervals = [(function, IntervalIndex(known)) for function, known in read.items()]

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
                self._collect_text(fold(one), found)
            elif isinstance(one, bool | int | float):
                found.update(self._equal.get(one, ()))

    def _collect_text(self, text: str, found: set[int]) -> None:
        if text in self._equal:
            found.update(self._equal[text])
        for length, known in self._heads.items():
            found.update(known.get(text[:length], ()))
        for length, known in self._tails.items():
            found.update(known.get(text[-length:], ()))
        for length, known in self._parts.items():
            places = len(text) - length + 1
            if len(known) < places:
                for part, numbers in known.items():
                    if part in text:
                        found.update(numbers)
            else:
                for at in range(places):
                    if (part := text[at : at + length]) in known:
                        found.update(known[part])


def _add(texts: dict[int, dict[str, list[int]]], text: str, number: int) -> None:
    texts.setdefault(len(text), {}).setdefault(text, []).append(number)
