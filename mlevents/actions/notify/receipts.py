"""Which receivers got a message, which refused it, and which are retried."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from mlevents.errors import ConfigError, PermanentError, TransientError
from mlevents.orchestration.step_plan import RetryPlan

log = logging.getLogger("mlevents")

LONGEST_RECEIPT = 500
"""The most characters of the text about one receiver."""


@dataclass(slots=True)
class Tally:
    """Receivers, each with a text: sent, refused, or late.

    `waits` are the seconds until one may be tried again, `tries` how often it was. `after` is the wait that
    the last attempt asked for, and so the time that has passed since. No clock is read: the sandbox divides
    its timers.
    """

    retry: RetryPlan
    sent: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    after: float = 0.0

    @classmethod
    def read(cls, progress: Mapping[str, Any], retry: RetryPlan) -> Self:
        """The tally that an earlier attempt left, after the wait that it asked for."""
        kept: dict[str, Any] = {
            name: dict(progress.get(name) or {}) for name in ("sent", "refused", "late", "waits", "tries")
        }
        passed = float(progress.get("after") or 0.0)
        kept["waits"] = {name: max(0.0, wait - passed) for name, wait in kept["waits"].items()}
        return cls(retry, **kept)

    def to_json(self) -> dict[str, Any]:
        """What the next attempt is to know."""
        known = asdict(self)
        del known["retry"]
        return known

    def open(self, receivers: list[str]) -> list[str]:
        """Those who are neither notified nor refused."""
        return [name for name in receivers if name not in self.sent and name not in self.refused]

    def notify(self, receivers: list[str], send: Callable[[str], str]) -> None:
        """Send to one who was not tried yet; else to each who is due, until one has it.

        That one must be remembered before anyone else is sent to. Raises TransientError where there is
        one receiver alone: the step's own retry is for that one.
        """
        open_ = self.open(receivers)
        untried = [name for name in open_ if name not in self.tries]
        due = untried[:1] or [name for name in open_ if not self.waits.get(name)]
        for name in due:
            error = self._try(name, send)
            if error is None:
                break
            if len(receivers) == 1:
                raise TransientError(
                    f"not notified yet: {name} ({error})", retry_after=error.retry_after
                ) from error
        open_ = self.open(receivers)
        more = any(name not in self.tries for name in open_)
        self.after = 0.0 if more or not open_ else min(self.waits.get(name, 0.0) for name in open_)

    def _try(self, name: str, send: Callable[[str], str]) -> TransientError | None:
        """Send to one receiver and note what came of it; an error that may pass is noted and returned."""
        self.tries[name] = self.tries.get(name, 0) + 1
        try:
            self.sent[name] = send(name)[:LONGEST_RECEIPT]
            self.late.pop(name, None)
        except (PermanentError, ConfigError) as error:
            self._refuse(name, str(error))
        except TransientError as error:
            self._postpone(name, error)
            return error
        except Exception as error:  # the boundary of one receiver: a fault of ours keeps no other from it
            log.exception("notifying '%s': a fault in mlevents", name)
            self._refuse(name, f"a fault in mlevents: {type(error).__name__}")
        return None

    def _postpone(self, name: str, error: TransientError) -> None:
        tries = self.tries[name]
        if tries >= self.retry.attempts:
            self._refuse(name, f"{error} (attempt {tries} of {self.retry.attempts})")
            return
        backoff = min(self.retry.first * 2.0 ** min(tries - 1, 30), self.retry.max)
        self.late[name] = str(error)[:LONGEST_RECEIPT]
        self.waits[name] = max(backoff, error.retry_after or 0.0)

    def _refuse(self, name: str, why: str) -> None:
        self.refused[name] = why[:LONGEST_RECEIPT]
        self.late.pop(name, None)
        self.waits.pop(name, None)
