"""The feed in the terminal: each event as it goes, its rules, and how their responses end.

On a terminal, what still runs is redrawn in place below what is over; elsewhere each change is one line.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from mlevents.commands.feed_state import Feed, FeedEvent, FeedReading
from mlevents.commands.terminal import escape_text, wrap_text

FEED_SECONDS = 0.5
MARKS = {
    "running": ("…", "cyan"),
    "waiting": ("…", "yellow"),
    "pending": ("…", "yellow"),
    "done": ("✓", "green"),
    "shadow": ("·", "dim"),
    "dropped": ("·", "dim"),
    "silent": ("·", "dim"),
}
BAD_MARK = ("✗", "red")
RULE_INDENT = " " * 10


class FeedSource(Protocol):
    """Where the feed reads: the sandbox, or an app by its API alone."""

    def read(self) -> FeedReading | None:
        """What is new, or may have changed; None while nobody answers."""


@dataclass(slots=True)
class PlainFeed:
    """Prints each change as one line that stands for itself."""

    console: Console
    printed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def show(self, feed: Feed) -> None:
        """Print what has changed since the last call."""
        for event in feed.events.values():
            if event.note:
                self._print(event, event.id, event.note, event.note)
            for name, one in event.responses.items():
                self._print(event, name, (one.status, f"{one.rule}: {one.text}"), one.stage)

    def _print(self, event: FeedEvent, name: str, marked: tuple[str, str], stage: tuple[str, ...]) -> None:
        if self.printed.get(name) == stage:
            return
        self.printed[name] = stage
        mark = MARKS.get(marked[0], BAD_MARK)
        line = Text.assemble(describe_event(event), " ", mark, f" {_clean_line(marked[1])}")
        self.console.print(line, soft_wrap=True)


@dataclass(slots=True)
class TerminalFeed:
    """Redraws what still runs below what is over."""

    live: Live
    printed: set[str] = field(default_factory=set)

    def show(self, feed: Feed) -> None:
        """Print the events that are over, once, and draw the others."""
        console, over, active = self.live.console, [], []
        for key, event in feed.events.items():
            if event.is_over and (event.note or event.responses):
                over += [] if key in self.printed else draw_event(event, console.width)
                self.printed.add(key)
            elif not event.is_over:
                active += draw_event(event, console.width)
        self.live.update(Group(*active[-max(console.height - 2, 1) :]), refresh=True)
        if over:
            console.print(Text("\n").join(over), soft_wrap=True)


def follow_feed(
    feed: Feed, source: FeedSource, is_over: Callable[[], bool], console: Console | None = None
) -> None:
    """Show the feed until `is_over`; returns after one last look."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        _poll(feed, source, PlainFeed(console), is_over)
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        _poll(feed, source, TerminalFeed(live), is_over)


def _poll(
    feed: Feed, source: FeedSource, view: PlainFeed | TerminalFeed, is_over: Callable[[], bool]
) -> None:
    while True:
        last = is_over()
        if reading := source.read():
            feed.update(reading)
            view.show(feed)
        if last:
            return
        time.sleep(FEED_SECONDS)


def describe_event(event: FeedEvent) -> Text:
    """The time, the type and the subject of an event."""
    moment = event.time.astimezone().strftime("%H:%M:%S")
    where = f" ({event.workspace})" if event.workspace else ""
    subject = _clean_line(f"{event.subject}{where}")
    return Text.assemble((moment, "dim"), "  ", (_clean_line(event.kind), "bold"), "  ", subject)


def draw_event(event: FeedEvent, width: int) -> list[Text]:
    """The lines of an event: its own, and one for each rule."""
    lines = wrap_text(describe_event(event), width)
    if event.note:
        lines += _draw_line(event.note, "", width)
    for one in event.responses.values():
        lines += _draw_line((one.status, one.text), one.rule, width)
    return lines


def _draw_line(marked: tuple[str, str], rule: str, width: int) -> Iterator[Text]:
    name = f"{_clean_line(rule)}: " if rule else ""
    mark = MARKS.get(marked[0], BAD_MARK)
    yield from wrap_text(Text.assemble(RULE_INDENT, mark, " ", (name, "bold"), _clean_line(marked[1])), width)


def _clean_line(text: str) -> str:
    """The text on one line, without control characters: events are untrusted input."""
    return escape_text(" ".join(text.split()))
