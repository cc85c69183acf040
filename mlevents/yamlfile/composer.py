"""From the YAML parser's events to plain values with places; anchors and `<<` work, loops do not."""

from collections.abc import Callable
from typing import Any

import yaml

from mlevents.errors import Problem
from mlevents.yamlfile.positions import Document, Places, join
from mlevents.yamlfile.scalars import plain_value

DEEPEST = 100
"""How deep lists and mappings may nest."""

MOST_REPEATED = 1_000_000
"""How many values the aliases of one file may repeat: far above any file of rules, far below a bomb."""

_TAGS = (None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_SKIPPED = object()
_MERGE = object()


class _Frame:
    """A mapping or a list under construction; in a mapping, `key` waits for its value."""

    __slots__ = ("anchor", "counted", "is_key", "key", "key_place", "merged", "place", "places", "value")

    def __init__(self, event: Any, counted: int, is_key: bool) -> None:
        mark = event.start_mark
        self.value: Any = {} if type(event) is yaml.MappingStartEvent else []
        self.places: Any = type(self.value)()
        self.place = mark.line + 1, mark.column + 1
        self.anchor: str | None = event.anchor
        self.counted = counted
        self.is_key = is_key
        self.key: Any = None
        self.key_place = self.place
        self.merged: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def wants_key(self) -> bool:
        """What comes next is a key."""
        return self.key is None and type(self.value) is dict


class Composer:
    """Follows the parser's events with a stack of its own, so that depth costs no recursion."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, Places, int] | None] = {}
        self.counted = 0
        self.repeated = 0
        self.begun = False
        self.on: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.open,
            yaml.SequenceStartEvent: self.open,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.begin,
        }

    def compose(self, parser: Any) -> None:
        """Follow to the end, or to where the document is broken; raises what the parser raises."""
        while not self.document.broken and (event := parser.get_event()) is not None:
            follow = self.on.get(type(event))
            if follow:
                follow(event)

    def report(self, event: Any, text: str, place: tuple[int, int] | None = None) -> None:
        mark, path = event.start_mark, ""
        for frame in self.stack:
            part = len(frame.value) if type(frame.value) is list else frame.key
            path = join(path, part) if isinstance(part, str | int) else path
        place = place or (mark.line + 1, mark.column + 1)
        self.document.problems.append(Problem(self.document.file, *place, path, text))

    def stop(self, event: Any, text: str) -> None:
        self.report(event, text)
        self.document.broken = True

    def refuse_tag(self, event: Any) -> None:
        if event.tag not in _TAGS:
            self.report(event, f"the tag '{event.tag}' has no meaning here: take it out")

    def begin(self, event: Any) -> None:
        if self.begun:
            self.stop(event, "a second document begins here: keep one document in a file")
        self.begun = True

    def scalar(self, event: Any) -> None:
        self.refuse_tag(event)
        if self.stack and self.stack[-1].wants_key():
            self.key(event, event.value, plain=not event.style)
            value = event.value
        else:
            value = plain_value(event.value) if not event.style and event.tag is None else event.value
            self.put(event, value, None)
        self.counted += 1
        if event.anchor:
            self.anchors[event.anchor] = (value, None, 1)

    def key(self, event: Any, key: str, *, plain: bool) -> None:
        frame, mark = self.stack[-1], event.start_mark
        frame.key_place = mark.line + 1, mark.column + 1
        frame.key = key
        if plain and key == "<<":
            frame.key = _MERGE
        elif plain and not key:
            self.report(event, "a key is missing before ':'")
            frame.key = _SKIPPED
        elif key in frame.places:
            line = frame.places[key][0]
            self.report(event, f"the key '{key}' is here a second time, first in line {line}: keep one")
            frame.key = _SKIPPED

    def open(self, event: Any) -> None:
        self.refuse_tag(event)
        is_key = bool(self.stack) and self.stack[-1].wants_key()
        if is_key:
            self.report(event, "a list or mapping cannot be a key: write a text")
        if event.anchor:
            self.anchors[event.anchor] = None
        self.counted += 1
        self.stack.append(_Frame(event, self.counted, is_key))
        if len(self.stack) > DEEPEST:
            self.stack.clear()
            self.stop(event, f"lists and mappings nest deeper than {DEEPEST} levels: flatten them")

    def close(self, event: Any) -> None:
        frame = self.stack.pop()
        for value, places in frame.merged:
            for key in value:
                frame.places.setdefault(key, places[key])
                frame.value.setdefault(key, value[key])
        if frame.anchor:
            self.anchors[frame.anchor] = frame.value, frame.places, self.counted - frame.counted + 1
        if frame.is_key:
            self.stack[-1].key = _SKIPPED
        else:
            self.put(event, frame.value, frame.places, frame.place)

    def alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor)
        if known is None:
            fact = "names the value that it is in" if event.anchor in self.anchors else "names no anchor"
            self.report(event, f"the alias '*{event.anchor}' {fact}: write the value itself")
        value, places, size = known or (_SKIPPED, None, 1)
        self.counted += size
        self.repeated += size
        if self.repeated > MOST_REPEATED:
            self.stop(event, f"aliases repeat more than {MOST_REPEATED} values: write fewer")
        elif not (self.stack and self.stack[-1].wants_key()):
            self.put(event, value, places)
        elif isinstance(value, str):
            self.key(event, value, plain=False)
        else:
            if known:
                self.report(event, f"the alias '*{event.anchor}' is not text: a key must be text")
            self.stack[-1].key = _SKIPPED

    def put(self, event: Any, value: Any, places: Places, place: tuple[int, int] | None = None) -> None:
        """Hand a finished value to the list, the key or the document that waits for it."""
        mark = event.start_mark
        line, column = place or (mark.line + 1, mark.column + 1)
        if not self.stack:
            self.document.value, self.document.places, self.document.start = value, places, (line, column)
            return
        frame = self.stack[-1]
        if type(frame.value) is dict:
            if frame.key is _MERGE:
                self.merge(event, frame, value, places)
            elif frame.key is not _SKIPPED and value is not _SKIPPED:
                frame.value[frame.key] = value
                frame.places[frame.key] = (*frame.key_place, places)
            frame.key = None
        elif value is not _SKIPPED:
            frame.value.append(value)
            frame.places.append((line, column, places))

    def merge(self, event: Any, frame: _Frame, value: Any, places: Any) -> None:
        """`<<` takes over the keys of a mapping, or of several; what stands here itself wins."""
        sources = value if isinstance(value, list) else [value]
        inner = [inside for _, _, inside in places] if isinstance(value, list) else [places]
        for source, inside in zip(sources, inner, strict=True):
            if isinstance(source, dict):
                frame.merged.append((source, inside))
            elif source is not _SKIPPED:
                fault = "'<<' takes a mapping, or a list of mappings: write '<<: *anchor'"
                self.report(event, fault, frame.key_place)
