"""When Event Grid tries again, when it gives up, and what it calls the outcome of a try.

The schedule, what is never retried and the shortest waits by status are those of its documentation for
Azure resources ("Event Grid message delivery and retry"), all in seconds.
"""

from dataclasses import dataclass

SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
SHORTEST = {401: 300, 404: 300, 408: 120, 503: 30}
NEVER_AGAIN = {
    400: "UndeliverableDueToHttpBadRequest",
    403: "UndeliverableDueToHttpForbidden",
    413: "UndeliverableDueToHttpRequestEntityTooLarge",
}
"""What is not tried again, and a dead letter's reason for it (inferred: no list is documented)."""
OUTCOMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
    503: "Busy",
}
TIMED_OUT, NO_CONNECTION = 0, -1
PROBATION = "Probation"
BEFORE_DEAD_LETTER = 300


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When Event Grid gives up: after so many attempts, or so many seconds."""

    attempts: int = 30
    seconds: float = 24 * 60 * 60

    def wait(self, status: int, attempts: int) -> float:
        """How long to wait after so many attempts, the last of which ended with this status."""
        return max(SCHEDULE[min(attempts, len(SCHEDULE)) - 1], SHORTEST.get(status, 0))

    def give_up(self, status: int, attempts: int, seconds: float) -> str | None:
        """Why there is no further try, which would come so many seconds after the publication."""
        if status in NEVER_AGAIN:
            return NEVER_AGAIN[status]
        if attempts >= self.attempts:
            return "MaxDeliveryAttemptsExceeded"
        return "TimeToLiveExceeded" if seconds > self.seconds else None


def outcome_of(status: int) -> str:
    """What a dead letter calls the last try."""
    return {TIMED_OUT: "TimedOut", NO_CONNECTION: "SocketError"}.get(
        status, OUTCOMES.get(status, "GenericError")
    )
