"""A progress bar while events are rebuilt: on standard error, and on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress, TaskID

from mlevents.commands.progress_bar import open_bar


class HistoryProgressBar:
    """One line for the models and one for the experiments, and what Azure asks to wait for."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None
        self._events = 0

    def start(self, what: str, total: int) -> None:
        """So many models, or experiments, are going to be read."""
        self._task = self._bar.add_task(f"reading {what}", total=total, note=self._found())

    def advance(self, events: int) -> None:
        """One of them was read, and gave so many events."""
        self._events += events
        if self._task is not None:
            self._bar.update(self._task, advance=1, note=self._found())

    def wait(self, seconds: float, reason: str) -> None:
        """Azure asks to wait, or does not answer."""
        note = f"waiting {seconds:.0f} s: {reason}"
        if self._task is None:
            self._task = self._bar.add_task("reading", total=None, note=note)
        self._bar.update(self._task, note=note)

    def _found(self) -> str:
        return f"{self._events} events"


@contextmanager
def show_progress() -> Iterator[HistoryProgressBar]:
    """Show what is being read until the block ends; nothing stays on the screen."""
    with open_bar() as bar:
        yield HistoryProgressBar(bar)
