"""An older version never follows a newer one, in whatever order their events arrive.

```yaml
order: {key: "${model.name}", by: "${model.version}"}
```

The truth is what the endpoint serves: its deployments carry `key` and `by` as tags, and one that was made
otherwise counts by its model's name and version. When several wait for one endpoint, only the newest of
a key goes on. In a rule that deploys nothing, the newest that went through is remembered instead.
Versions compare by PEP 440 where both are such, else piece by piece, numbers as numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from packaging.version import InvalidVersion, Version

from mlevents.conditions.version import natural
from mlevents.gates.gate import Gate, Served, gate


@gate("order")
class Order(Gate):
    """An older version never follows a newer one."""

    key: str
    """what must not go backwards, such as `${model.name}`."""
    by: str
    """the value that counts up, such as `${model.version}`."""

    def objection(self, _: Mapping[str, Any], /, serving: Sequence[Served]) -> str | None:
        for one in serving:
            if one["key"] == self.key and newer(one["by"], self.by):
                return (
                    f"'{one['deployment']}' serves {one['by']} of '{self.key}', which is newer than {self.by}"
                )
        return None

    def superseded(self, waiting: Sequence[Mapping[str, str]]) -> str | None:
        """Why to give way to those that wait for the same endpoint, or None."""
        for one in waiting:
            if one["key"] == self.key and newer(one["by"], self.by):
                return f"{one['by']} of '{self.key}' waits too, and is newer than {self.by}"
        return None


def newer(one: str, other: str) -> bool:
    """Whether one version is newer than the other."""
    try:
        return Version(one) > Version(other)
    except InvalidVersion:
        return natural(one) > natural(other)
