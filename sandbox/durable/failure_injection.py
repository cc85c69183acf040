"""Failures on demand between the durable work and the hub that waits for its result."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class FailureInjection:
    """Failures between the execution of an activity and the delivery of its result to the hub.

    `twice` executes every activity twice in a row, and every operation on an entity too where host.json lets
    messages to entities be repeated (`entityMessageReorderWindowInMinutes` is 0). `lost_results` says for
    each activity how many of its next results are lost, as when the worker crashes after the work: the
    activity is executed again. When work that `kill_pattern` matches (such as `ACTIVITY note`) is done,
    `kill_host` is called, once.
    """

    twice: bool = False
    lost_results: Counter[str] = field(default_factory=Counter)
    kill_pattern: re.Pattern[str] | None = None
    kill_host: Callable[[], None] = lambda: None

    def loses_result(self, activity: str, execution: int) -> bool:
        """Whether the result of this execution, counted from 1, is lost."""
        if self.lost_results[activity] > 0:
            self.lost_results[activity] -= 1
            return True
        return self.twice and execution == 1

    def kills_host(self, work: str) -> bool:
        """Whether the host dies now, with this work done and its result not delivered."""
        if self.kill_pattern is None or not self.kill_pattern.match(work):
            return False
        self.kill_pattern = None
        self.kill_host()
        return True
