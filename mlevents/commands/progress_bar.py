"""A progress bar while a command works: on standard error, on a terminal only, and nothing of it stays."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mlevents.commands.terminal import open_bars

FEW = 20
"""Items that need no bar."""


@contextmanager
def open_bar() -> Iterator[Progress]:
    """A bar without tasks. It goes away while a text is printed."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
    )
    bar = Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_interactive
    )
    if bar.disable:
        yield bar
        return
    open_bars.append(bar)
    try:
        with bar:
            yield bar
    finally:
        open_bars.remove(bar)


def track_items[T](
    items: Iterable[T], what: str, total: int, *, few: int = FEW, group: Callable[[T], object] | None = None
) -> Iterator[T]:
    """Each item; the bar shows how many of the `total`, or how many groups of items, are done.

    There is no bar for `few` items.
    """
    if total <= few:
        yield from items
        return
    done = set[object]()
    with open_bar() as bar:
        task = bar.add_task(what, total=total, note="")
        for number, item in enumerate(items, 1):
            done.add(group(item) if group else number)
            yield item
            bar.update(task, completed=min(len(done), total))
            if not bar.disable:
                bar.start()  # it went away if the item was printed
