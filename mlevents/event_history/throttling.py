"""Requests that wait as long as Azure asks, and are sent again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from mlevents.errors import TransientError

READ_ATTEMPTS = 8
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Seconds between attempts where Azure names no time: doubled each time, up to the longest."""
LONGEST_ASKED = 600.0
"""Seconds: Azure's limits are counted by the minute or by five; a longer wait is an error for people."""


@dataclass(frozen=True, slots=True)
class ThrottlePatience:
    """Sends a read again when Azure throttles it or fails; `notify` gets each wait and its reason."""

    sleep: Callable[[float], None] = time.sleep
    notify: Callable[[float, str], None] = lambda _seconds, _reason: None

    def read[T](self, request: Callable[[], T]) -> T:
        """The answer of a read; raises TransientError after the last attempt."""
        pause = FIRST_PAUSE_SECONDS
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return request()
            except TransientError as error:
                wait = pause if error.retry_after is None else error.retry_after
                if wait > LONGEST_ASKED:
                    raise
                self.notify(wait, str(error))
                self.sleep(wait)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return request()
