"""Reading the runs of one message from Azure ML: several at a time, within a limit.

Other steps and rules about the same event find what was read in a cache of this process.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from mlevents.actions.notify.run_reason import RunReason, read_log, read_reason
from mlevents.errors import ActionError

if TYPE_CHECKING:
    from mlevents.actions.action import StepContext
    from mlevents.services.services import Services

LONGEST_READING = 30.0
"""Seconds for all runs of one message; what is not read by then is missing in it."""
WORKERS = 4
CACHED_SECONDS, MOST_CACHED = 60.0, 500

_cache: dict[tuple[str, str, str], tuple[float, RunReason]] = {}


class RunReading:
    """The reading of the runs of one message, within its time."""

    def __init__(self, context: StepContext, services: Services) -> None:
        self._place, self._event = context.event.topic, context.event.id
        self._services = services
        self._end = time.monotonic() + LONGEST_READING
        self._pool = ThreadPoolExecutor(WORKERS, "run-reading")

    def read_reasons(self, runs: list[str]) -> dict[str, RunReason | ActionError]:
        """The reason of each run by its id, or why it is unknown."""
        return self._gather({run: self._pool.submit(self._read_reason, run) for run in runs})

    def read_log(self, run: str, steps: list[str]) -> RunReason:
        """The end of a run's log, as `run_reason.read_log` gives it."""
        found = self._gather({run: self._pool.submit(self._read_log, run, steps)})[run]
        return {"log": [], "log_missing": str(found)} if isinstance(found, ActionError) else found

    def close(self) -> None:
        """Wait for nothing: a thread that still reads ends with the timeout of its request."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _gather(self, futures: Mapping[str, Future[RunReason]]) -> dict[str, RunReason | ActionError]:
        wait(futures.values(), max(0.0, self._end - time.monotonic()))
        return {run: _result(future) for run, future in futures.items()}

    def _read_log(self, run: str, steps: list[str]) -> RunReason:
        runs = self._services.machine_learning(self._place).runs
        return read_log(runs, run, steps, self._services.settings)

    def _read_reason(self, run: str) -> RunReason:
        """The reason; a later event of the same run reads it again."""
        key = self._place.lower(), run, self._event
        kept = _cache.get(key)
        if kept and time.monotonic() - kept[0] < CACHED_SECONDS:
            return kept[1]
        found = read_reason(self._services.machine_learning(self._place).runs, run)
        if len(_cache) >= MOST_CACHED:
            _cache.clear()
        _cache[key] = time.monotonic(), found
        return found


def _result(future: Future[RunReason]) -> RunReason | ActionError:
    if not future.done():
        return ActionError(f"Azure ML did not answer within {LONGEST_READING:g} s")
    try:
        return future.result()
    except ActionError as error:
        return error
