"""An older version never follows a newer one, in whatever order their events arrive.

```yaml
order: {key: "${model.name}", by: "${model.version}"}
```

The truth is what the endpoint serves: its deployments carry `key` and `by` as tags, and one that was made
otherwise counts by its model's name and version. When several wait for one endpoint, only the newest of
a key goes on. In a rule that deploys nothing, the newest that acted is remembered instead.
Versions compare by PEP 440 where both are such, else piece by piece, numbers as numbers. A version has at
most 255 characters.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from packaging.version import Version

from mlevents.conditions.version import natural
from mlevents.expressions.interpolation import ExpressionError
from mlevents.gates.gate import Gate, Served, gate

LONGEST_VERSION = 255
"""Characters; Azure ML allows as many for a model's version."""


@gate("order")
class Order(Gate):
    """An older version never follows a newer one."""

    position = 40
    stage = "lease"
    rechecked = True

    key: str
    """what must not go backwards, such as `${model.name}`."""
    by: str
    """the value that counts up, such as `${model.version}`."""

    def fill(self, names: Mapping[str, Any]) -> dict[str, str]:
        filled = {name: str(value) for name, value in super().fill(names).items()}
        if (length := len(filled["by"])) > LONGEST_VERSION:
            raise ExpressionError(
                f"order.by has {length} characters: a version has at most {LONGEST_VERSION}"
            )
        return filled

    def objection(self, _: Mapping[str, Any], /, serving: Sequence[Served]) -> str | None:
        for one in serving:
            if one.key == self.key and newer(one.by, self.by):
                return f"'{one.deployment}' serves {one.by} of '{self.key}', which is newer than {self.by}"
        return None

    def superseded(self, waiting: Sequence[Mapping[str, str]]) -> str | None:
        """Why to give way to those that wait for the same endpoint, or None."""
        for one in waiting:
            if one["key"] == self.key and newer(one["by"], self.by):
                return f"{one['by']} of '{self.key}' also waits, and is newer than {self.by}"
        return None


def newer(one: str, other: str) -> bool:
    """Whether one version is newer than the other; a total order over all texts, which never raises."""
    return _rank(one) > _rank(other)


def newest(one: str, other: str) -> str:
    """The newer of two versions; of two that are equal (`1`, `1.0`) always the same one."""
    return max(one, other, key=lambda text: (_rank(text), text))


def _rank(text: str) -> tuple[Any, ...]:
    """The epoch and the leading numbers, then PEP 440's order, or piece by piece for other texts.

    That the numbers come first for both kinds is what makes the order transitive when they are mixed.
    """
    found = _LEADING.match(text)
    epoch, release, end = (found[1] or "0", found[2], found.end()) if found else ("0", "", 0)
    numbers = [_number(piece) for piece in release.split(".")]
    while numbers and numbers[-1] == _ZERO:
        numbers.pop()
    version = _version(text)
    if version is not None:
        return _number(epoch), numbers, 0, version
    return _number(epoch), numbers, 1, natural(text[end:])


def _number(digits: str) -> tuple[int, str]:
    """A number of any length as a key; Python makes no int of more than 4,300 digits."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of more than 4,300 digits
        return None


_LEADING = re.compile(r"\s*v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)", re.IGNORECASE)
_ZERO = _number("0")
