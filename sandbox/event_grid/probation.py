"""Probation: for a while, Event Grid delivers no event to an endpoint that keeps failing.

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
        """Seconds until the next delivery is allowed."""
        return max(0.0, self._until - pace.elapsed())

    def succeeded(self) -> None:
        """The endpoint accepted an event."""
        self._failures, self._span, self._until = 0, 0.0, 0.0

    def failed(self, pace: Pace) -> None:
        """The endpoint did not accept an event; an earlier delivery does not prolong probation."""
        self._failures += 1
        if self._failures >= FAILURES and not self.left(pace):
            self._span = min(self._span * 2 or FIRST, LONGEST)
            self._until = pace.elapsed() + self._span
