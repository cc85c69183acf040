"""Probation: an endpoint that keeps failing is left alone for a while, by other events too.

Documented is that after failures, "such as the first 10 events published to an endpoint", Event Grid
delays all retries and new deliveries to it, in some cases up to several hours. The numbers are inferred:
after ten failures in a row one minute, doubled with each failure after that, at most four hours; any
success ends it.
"""

from sandbox.pace import Pace

FAILURES = 10
FIRST, LONGEST = 60.0, 4 * 60 * 60.0


class Probation:
    """Of one endpoint; times are Azure's seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self._span = 0.0
        self._until = 0.0

    def left(self, pace: Pace) -> float:
        """How long no delivery is tried yet."""
        return max(0.0, self._until - pace.elapsed())

    def succeeded(self) -> None:
        """The endpoint took an event."""
        self._failures, self._span, self._until = 0, 0.0, 0.0

    def failed(self, pace: Pace) -> None:
        """The endpoint did not take an event; what was under way when probation began does not prolong it."""
        self._failures += 1
        if self._failures >= FAILURES and not self.left(pace):
            self._span = min(self._span * 2 or FIRST, LONGEST)
            self._until = pace.elapsed() + self._span
