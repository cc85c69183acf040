"""The version lies in a range: packaging's specifiers (PEP 440); other versions in natural order.

where:
  model:
    version: {version: '>=2.1, <3'}

Versions that are not PEP 440's, such as `2024-05-01b`, compare piece by piece, numbers as numbers.
"""

import operator as compare
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from mlevents.canonical import fold
from mlevents.conditions.assumptions import Assumptions
from mlevents.conditions.condition import PRESENCE, Clause, Condition, JsonSchema, operator, quote_value
from mlevents.conditions.lookup import AnyValue, Interval, Lookup

_BOUND = re.compile(r"\s*(===|==|!=|~=|<=|>=|<|>)\s*([^\s,<>=!~][^\s,]*)\s*")
_LONGEST = 200
_NATURAL: dict[str, Callable[[Any, Any], bool]] = {
    "==": compare.eq,
    "===": compare.eq,
    "!=": compare.ne,
    "<": compare.lt,
    "<=": compare.le,
    ">": compare.gt,
    ">=": compare.ge,
}
type Natural = list[tuple[int, int, str]]


@operator("version")
class VersionRange(Condition):
    """The version fits every bound of the operand; pre-releases count like any version."""

    synonyms = ("semver", "version_range")

    @classmethod
    def describe_operand(cls, value: JsonSchema) -> JsonSchema:  # noqa: ARG003
        return {"type": "string", "maxLength": _LONGEST, "pattern": f"^{_BOUND.pattern}(,{_BOUND.pattern})*$"}

    def __init__(self, operand: object) -> None:
        if not isinstance(operand, str) or len(operand) > _LONGEST:
            raise ValueError(f"wants a range as a text, such as '>=2.1', not {quote_value(operand)}")
        self.bounds = [_bound(part) for part in operand.split(",")]
        self.specifiers = _specifiers(operand)
        unordered = [sign for sign, _ in self.bounds if sign not in _NATURAL]
        if self.specifiers is None and unordered:
            raise ValueError(f"'{unordered[0]}' needs a PEP 440 version, but {quote_value(operand)} has none")

    def holds(self, value: object) -> bool:
        if not isinstance(value, str) or not value or len(value) > _LONGEST:
            return False
        version = _version(value)
        if self.specifiers is not None and version is not None:
            return self.specifiers.contains(version, prereleases=True)
        found = natural(value)
        return all(sign in _NATURAL and _NATURAL[sign](found, natural(text)) for sign, text in self.bounds)

    def clause(self) -> Clause:
        return Clause(PRESENCE, exact=False)

    def lookups(self) -> tuple[Lookup, ...]:
        orders = [_natural_interval(self.bounds, natural_key)]
        if self.specifiers is not None:
            orders = [_version_interval(self.bounds), _natural_interval(self.bounds, _other_key)]
        bounded = [one for one in orders if (one.low, one.high) != (None, None)]
        return tuple(bounded) if bounded == orders else (AnyValue(),)

    def assumptions(self) -> Assumptions:
        return Assumptions(by_shape=False)


def natural(text: str) -> Natural:
    """A key that orders texts as people do: `v9` before `v10`. Digits before letters."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", fold(text))
    return [_piece(piece) for piece in pieces]


def natural_key(value: object) -> Natural | None:
    """The key of a text; None for what no range takes."""
    return natural(value) if isinstance(value, str) and 0 < len(value) <= _LONGEST else None


def _other_key(value: object) -> Natural | None:
    """The natural key of a text that is no version of PEP 440."""
    return None if _public_version(value) else natural_key(value)


def _public_version(value: object) -> Version | None:
    """A PEP 440 version without its local part, which most comparisons leave out."""
    found = _version(value) if isinstance(value, str) and len(value) <= _LONGEST else None
    return Version(found.public) if found and found.local else found


def _natural_interval(bounds: Sequence[tuple[str, str]], read: Callable[[object], Any]) -> Interval:
    return _interval(read, [(sign, natural(text)) for sign, text in bounds])


def _version_interval(bounds: Sequence[tuple[str, str]]) -> Interval:
    known = [(sign, _public_version(text)) for sign, text in bounds if sign != "==="]
    return _interval(_public_version, [(sign, version) for sign, version in known if version])


def _interval(read: Callable[[object], Any], bounds: Sequence[tuple[str, Any]]) -> Interval:
    """From the greatest lower bound to the least upper one."""
    lows = [bound for sign, bound in bounds if sign in (">", ">=", "==", "===", "~=")]
    highs = [bound for sign, bound in bounds if sign in ("<", "<=", "==", "===")]
    return Interval(read, max(lows, default=None), min(highs, default=None))


def _piece(piece: str) -> tuple[int, int, str]:
    if not "0" <= piece[0] <= "9":
        return 1, 0, piece
    digits = piece.lstrip("0")
    return 0, len(digits), digits


def _bound(part: str) -> tuple[str, str]:
    found = _BOUND.fullmatch(part)
    if found is None:
        raise ValueError(f"wants comparisons such as '>=2.1' or '>=2.1, <3', not {quote_value(part.strip())}")
    return found[1], found[2]


def _specifiers(text: str) -> SpecifierSet | None:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


@lru_cache(maxsize=1024)  # each rule with a range asks for the same few versions
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
