"""What goes wrong, on demand, between the work and the hub that waits for its result."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Chaos:
    """What goes wrong between an activity's execution and the hub's knowing of it.

    `twice` executes every activity twice in a row, and every operation on an entity too where host.json lets
    messages to entities be repeated (`entityMessageReorderWindowInMinutes` is 0). `lost` counts, by activity,
    how many results get lost yet, as when the worker crashes after the work: the activity is executed again.
    `deadly` matches the work that is the host's last, such as `ACTIVITY note`: `die` is called once it is
    done, and once only.
    """

    twice: bool = False
    lost: Counter[str] = field(default_factory=Counter)
    deadly: re.Pattern[str] | None = None
    die: Callable[[], None] = lambda: None

    def loses(self, activity: str, execution: int) -> bool:
        """Whether the result of this execution, counted from 1, gets lost."""
        if self.lost[activity] > 0:
            self.lost[activity] -= 1
            return True
        return self.twice and execution == 1

    def kills(self, work: str) -> bool:
        """Whether the host dies now, with this work done and its result not delivered."""
        if self.deadly is None or not self.deadly.match(work):
            return False
        self.deadly = None
        self.die()
        return True
