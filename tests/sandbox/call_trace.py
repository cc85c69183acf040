"""Which functions of ours are called, in which order, and from where they leave for someone else's code."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = ("mlevents",)

Call = tuple[str, str]
"""A module, and the qualified name of a function in it; one inside a function has that one's name."""
Exit = Callable[[FrameType], str | None]
"""A name for a call of someone else's function that is of interest, None for any other."""


@dataclass
class CallTrace:
    """What was called while tracing; `exits` are the calls that `Exit` named, each with the stack of ours."""

    calls: list[Call] = field(default_factory=list)
    exits: list[tuple[str, list[Call]]] = field(default_factory=list)

    def first_calls(self) -> list[Call]:
        """Each function once, in the order of its first call."""
        return list(dict.fromkeys(self.calls))


@contextmanager
def tracing(leaves: Exit, into: CallTrace) -> Iterator[CallTrace]:
    """Trace this thread; a trace inside of another one interrupts that."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        if called := call_of(frame.f_code):
            into.calls.append(called)
        elif name := leaves(frame):
            into.exits.append((name, stack(frame)))

    gc.collect()  # a generator that is collected while we trace would count as called
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield into
    finally:
        sys.setprofile(before)


def call_of(code: CodeType) -> Call | None:
    """The function of ours that this is the code of."""
    module = module_of(code.co_filename)
    return (module, code.co_qualname.partition(".<locals>")[0]) if module else None


@cache
def module_of(file: str) -> str | None:
    """The module of ours that this is the file of."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return None
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return module if parts[0] in OURS else None


def stack(frame: FrameType | None) -> list[Call]:
    """The functions of ours on the stack, the outermost first."""
    found: list[Call] = []
    while frame:
        if called := call_of(frame.f_code):
            found.append(called)
        frame = frame.f_back
    return found[::-1]
