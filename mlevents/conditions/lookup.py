"""How rules with a condition are found by a value, or by its absence, without asking the condition.

A value that fulfils a condition has at least one of its lookups; a value that has one may still fail it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Equal(NamedTuple):
    """The value itself; a text is folded."""

    value: object


class Head(NamedTuple):
    """What the folded text begins with."""

    text: str


class Tail(NamedTuple):
    """What the folded text ends with."""

    text: str


class Middle(NamedTuple):
    """What the folded text contains."""

    text: str


class Interval(NamedTuple):
    """What `read` makes of the value is from `low` to `high`, both included; None is no limit.

    All that one `read` gives can be compared with one another; it gives None for a value that fails.
    """

    read: Callable[[object], Any]
    low: Any = None
    high: Any = None


class AnyValue(NamedTuple):
    """There is a value."""


class NoValue(NamedTuple):
    """There is no value."""


type Lookup = Equal | Head | Tail | Middle | Interval | AnyValue | NoValue
