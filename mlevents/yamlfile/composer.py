"""YAML nodes with plain values and places; anchors and `<<` work, loops and alias bombs do not."""

from collections.abc import Iterator
from typing import Any

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


class PlainNode(yaml.Node):
    """A node whose value is plain Python; `size` counts the values in it, 0 while it is incomplete."""

    def __init__(self, event: Any, value: Any, places: Any = None, size: int = 0) -> None:
        self.value, self.places, self.start_mark, self.size = value, places, event.start_mark, size


class Composer(yaml.composer.Composer, yaml.CBaseLoader):
    """PyYAML's composer on libyaml's events, with nodes of our own; the document collects the problems."""

    def __init__(self, text: str, document: Document) -> None:
        yaml.CBaseLoader.__init__(self, text)
        self.anchors = {}
        self.document = document
        self.path: list[Any] = []
        self.composed = self.repeated = self.depth = 0

    def report(self, event: Any, text: str, *below: Any) -> None:
        path = join_path("", *(part for part in (*self.path, *below) if isinstance(part, str | int)))
        self.document.problems.append(Problem(self.document.file, *place_of(event), path, text))

    def compose_node(self, _parent: object, _index: object) -> PlainNode:
        return self.compose_from(self.get_event())

    def compose_from(self, event: Any) -> PlainNode:
        if type(event) is yaml.AliasEvent:
            return self.resolve_alias(event)
        if event.tag not in _TAGS:
            self.report(event, f"the tag '{event.tag}' has no meaning here: remove it")
        self.composed += 1
        if type(event) is not yaml.ScalarEvent:
            return self.compose_collection(event)
        is_text = event.style or event.tag
        node = PlainNode(event, event.value if is_text else parse_scalar(event.value), None, 1)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def resolve_alias(self, event: Any) -> PlainNode:
        node: Any = self.anchors.get(event.anchor)
        if node is None or not node.size:
            fact = "names the value that it is in" if node else "names no anchor"
            self.report(event, f"the alias '*{event.anchor}' {fact}: write the value itself")
            return PlainNode(event, _UNUSABLE)
        self.composed += node.size
        self.repeated += node.size
        if self.repeated > MAX_REPEATED:
            raise LimitError(event, f"aliases repeat more than {MAX_REPEATED} values: write fewer")
        return PlainNode(event, node.value, node.places, node.size)

    def compose_collection(self, event: Any) -> PlainNode:
        if self.depth == MAX_DEPTH:
            raise LimitError(event, f"lists and mappings nest deeper than {MAX_DEPTH} levels: flatten them")
        self.depth += 1
        before = self.composed
        is_list = type(event) is yaml.SequenceStartEvent
        node = PlainNode(event, [], []) if is_list else PlainNode(event, {}, {})
        if event.anchor:
            self.anchors[event.anchor] = node
        (self.compose_list if is_list else self.compose_mapping)(node.value, node.places)
        self.depth -= 1
        node.size = self.composed - before + 1
        return node

    def compose_list(self, value: list[Any], places: Any) -> None:
        while type(event := self.get_event()) is not yaml.SequenceEndEvent:
            self.path.append(len(value))
            node = self.compose_from(event)
            self.path.pop()
            if node.value is not _UNUSABLE:
                value.append(node.value)
                places.append((*place_of(event), node.places))

    def compose_mapping(self, value: dict[str, Any], places: Any) -> None:
        merged: list[tuple[Any, Any]] = []
        while type(event := self.get_event()) is not yaml.MappingEndEvent:
            key = self.compose_key(event, places)
            self.path.append(key)
            node = self.compose_from(self.get_event())
            self.path.pop()
            if key is _MERGE:
                merged += self.merge_sources(node, event)
            elif key is not None and node.value is not _UNUSABLE:
                value[key], places[key] = node.value, (*place_of(event), node.places)
        for source, inside in merged:
            for key in source:
                value.setdefault(key, source[key])
                places.setdefault(key, inside[key])

    def compose_key(self, event: Any, places: Any) -> Any:
        """The text of a key, `_MERGE`, or None for a key that cannot be used."""
        node = self.compose_from(event)
        if type(event) is yaml.ScalarEvent:
            node.value = event.value
        key, fault = node.value, ""
        if type(event) is yaml.ScalarEvent and not event.style and key in ("<<", ""):
            key, fault = (_MERGE, "") if key else (None, "a key is missing before ':'")
        elif key is not _UNUSABLE and not isinstance(key, str):
            fault = "a key must be text, not a list, mapping or number"
        elif key in places:
            fault = f"the key '{key}' is a duplicate of the key in line {places[key][0]}: keep one"
        if fault:
            self.report(event, fault, key if isinstance(key, str) else None)
        return None if fault or key is _UNUSABLE else key

    def merge_sources(self, node: PlainNode, event: Any) -> Iterator[tuple[Any, Any]]:
        """`<<` takes the keys of a mapping, or of several; the mapping's own keys win."""
        values, places = [node.value], [node.places]
        if isinstance(node.value, list):
            values, places = node.value, [place[2] for place in node.places]
        for value, inside in zip(values, places, strict=True):
            if isinstance(value, dict):
                yield value, inside
            elif value is not _UNUSABLE:
                self.report(event, "'<<' takes a mapping, or a list of mappings: write '<<: *anchor'")
