"""What goes wrong, on demand, between the work and the hub that waits for its result."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Chaos:
    """What goes wrong between an activity's execution and the hub's knowing of it.

    `twice` executes every activity twice in a row; `lost` counts, by activity, how many results get
    lost yet, as when the worker crashes after the work: the activity is executed again.
    """

    twice: bool = False
    lost: Counter[str] = field(default_factory=Counter)

    def loses(self, activity: str, execution: int) -> bool:
        """Whether the result of this execution, counted from 1, gets lost."""
        if self.lost[activity] > 0:
            self.lost[activity] -= 1
            return True
        return self.twice and execution == 1
