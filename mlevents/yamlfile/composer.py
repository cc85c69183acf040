"""YAML nodes with plain values and places; anchors and `<<` work, loops and alias bombs do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from mlevents.errors import Problem
from mlevents.yamlfile.positions import Document, join_path, place_of
from mlevents.yamlfile.scalars import parse_scalar

MAX_DEPTH = 100
"""How deep lists and mappings may nest."""

MAX_REPEATED = 1_000_000
"""How many values the aliases of one file may repeat: far above any rule file, far below a bomb."""

_TAGS = (None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_UNUSABLE: Any = object()
_MERGE: Any = object()


class LimitError(yaml.MarkedYAMLError):
    """A limit is exceeded; reading stops here."""

    def __init__(self, event: Any, problem: str) -> None:
        super().__init__(problem=problem, problem_mark=event.start_mark)


class Root(NamedTuple):
    """A document's value, the places in it, and where it begins."""

    value: Any
    places: Any
    start_mark: Any


@dataclass(slots=True)
class _Anchored:
    """What an alias repeats; `size` counts the values in it, 0 while it is incomplete."""

    value: Any
    places: Any
    size: int


class Composer(yaml.composer.Composer, yaml.CBaseLoader):
    """PyYAML's composer on libyaml's events, with plain values for nodes; the document collects the problems.

    A value is composed with the places in it, which are None for a scalar.
    """

    def __init__(self, text: str, document: Document) -> None:
        yaml.CBaseLoader.__init__(self, text)
        self.anchored: dict[str, _Anchored] = {}
        self.document = document
        self.path: list[Any] = []
        self.composed = self.repeated = self.depth = 0

    def report(self, event: Any, text: str, *below: Any) -> None:
        path = join_path("", *(part for part in (*self.path, *below) if isinstance(part, str | int)))
        self.document.problems.append(Problem(self.document.file, *place_of(event), path, text))

    def compose_node(self, _parent: object, _index: object) -> Any:
        event: Any = self.get_event()
        return Root(*self.compose_value(event), event.start_mark)

    def compose_value(self, event: Any) -> tuple[Any, Any]:
        if type(event) is yaml.ScalarEvent:
            return self.compose_scalar(event, event.style or event.tag), None
        return self.resolve_alias(event) if type(event) is yaml.AliasEvent else self.compose_collection(event)

    def compose_scalar(self, event: Any, is_text: object) -> Any:
        self.count(event)
        value = event.value if is_text else parse_scalar(event.value)
        if event.anchor:
            self.anchored[event.anchor] = _Anchored(value, None, 1)
        return value

    def count(self, event: Any) -> None:
        if event.tag not in _TAGS:
            self.report(event, f"the tag '{event.tag}' has no meaning here: remove it")
        self.composed += 1

    def resolve_alias(self, event: Any) -> tuple[Any, Any]:
        known = self.anchored.get(event.anchor)
        if known is None or not known.size:
            fact = "names the value that it is in" if known else "names no anchor"
            self.report(event, f"the alias '*{event.anchor}' {fact}: write the value itself")
            return _UNUSABLE, None
        self.composed += known.size
        self.repeated += known.size
        if self.repeated > MAX_REPEATED:
            raise LimitError(event, f"aliases repeat more than {MAX_REPEATED} values: write fewer")
        return known.value, known.places

    def compose_collection(self, event: Any) -> tuple[Any, Any]:
        self.count(event)
        if self.depth == MAX_DEPTH:
            raise LimitError(event, f"lists and mappings nest deeper than {MAX_DEPTH} levels: flatten them")
        self.depth += 1
        before = self.composed
        is_list = type(event) is yaml.SequenceStartEvent
        value: Any = [] if is_list else {}
        places: Any = [] if is_list else {}
        whole = _Anchored(value, places, 0)
        if event.anchor:
            self.anchored[event.anchor] = whole
        (self.compose_list if is_list else self.compose_mapping)(value, places)
        self.depth -= 1
        whole.size = self.composed - before + 1
        return value, places

    def compose_list(self, value: list[Any], places: Any) -> None:
        while type(event := self.get_event()) is not yaml.SequenceEndEvent:
            self.path.append(len(value))
            item, inside = self.compose_value(event)
            self.path.pop()
            if item is not _UNUSABLE:
                value.append(item)
                places.append(_place(event, inside))

    def compose_mapping(self, value: dict[str, Any], places: Any) -> None:
        merged: list[tuple[Any, Any]] = []
        while type(event := self.get_event()) is not yaml.MappingEndEvent:
            key = self.compose_key(event, places)
            self.path.append(key)
            found, inside = self.compose_value(self.get_event())
            self.path.pop()
            if key is _MERGE:
                merged += self.merge_sources(found, inside, event)
            elif key is not None and found is not _UNUSABLE:
                value[key], places[key] = found, _place(event, inside)
        for source, inside in merged:
            for key in source:
                value.setdefault(key, source[key])
                places.setdefault(key, inside[key])

    def compose_key(self, event: Any, places: Any) -> Any:
        """The text of a key, `_MERGE`, or None for a key that cannot be used."""
        is_scalar, fault = type(event) is yaml.ScalarEvent, ""
        key = self.compose_scalar(event, is_text=True) if is_scalar else self.compose_value(event)[0]
        if is_scalar and not event.style and key in ("<<", ""):
            key, fault = (_MERGE, "") if key else (None, "a key is missing before ':'")
        elif key is not _UNUSABLE and not isinstance(key, str):
            fault = "a key must be text, not a list, mapping or number"
        elif key in places:
            fault = f"the key '{key}' is a duplicate of the key in line {places[key][0]}: keep one"
        if fault:
            self.report(event, fault, key if isinstance(key, str) else None)
        return None if fault or key is _UNUSABLE else key

    def merge_sources(self, found: Any, inside: Any, event: Any) -> Iterator[tuple[Any, Any]]:
        """`<<` takes the keys of a mapping, or of several; the mapping's own keys win."""
        values, places = [found], [inside]
        if isinstance(found, list):
            values, places = found, [place[2] for place in inside]
        for value, around in zip(values, places, strict=True):
            if isinstance(value, dict):
                yield value, around
            elif value is not _UNUSABLE:
                self.report(event, "'<<' takes a mapping, or a list of mappings: write '<<: *anchor'")


def _place(event: Any, inside: Any) -> tuple[int, int, Any]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1, inside
