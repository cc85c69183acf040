"""The ids of steps, including the default ids of steps without one."""

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class StepIds:
    """The ids in one list of steps, so far."""

    taken: set[str] = field(default_factory=set)
    _numbers: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, written: str) -> bool:
        """Take an id from the rule; returns whether it was free."""
        free = written not in self.taken
        self.taken.add(written)
        return free

    def next(self, uses: str) -> str:
        """Take a default id: the action's name, with a number from the second step on."""
        name = uses
        while not self.take(name):
            self._numbers[uses] += 1
            name = f"{uses}_{self._numbers[uses] + 1}"
        return name
