"""Steps that read results too early: those of a later step, or their own."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlevents.expressions.interpolation import ExpressionError, find_names_below
from mlevents.yamlfile.positions import PathProblem, join_path

_EXPRESSION_KEYS = ("with", "if")
MAX_ORDERED_STEPS = 50
"""The most steps for which an order is proposed: the search takes quadratic time."""


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step with its id and its path."""

    id: str
    path: str
    written: Mapping[str, Any]

    def read_steps(self) -> list[tuple[str, str]]:
        """The steps whose results it reads, each with the path of the text that reads them."""
        found = (
            one
            for key in _EXPRESSION_KEYS
            for one in _find_texts(self.written.get(key), join_path(self.path, key))
        )
        return [(name, path) for text, path in found for name in _find_step_names(text)]


def find_forward_references(
    steps: Sequence[PlacedStep], before: Container[str] = ()
) -> Iterator[PathProblem]:
    """Each text that reads the results of its own step or of a later step, and the remedy.

    `before` are steps that run before all of these.
    """
    last = {step.id: number for number, step in enumerate(steps)}
    remedy = ""
    for number, step in enumerate(steps):
        for name, path in step.read_steps():
            if name in before or name not in last:
                continue
            if name == step.id:
                yield path, f"steps.{name} is this step: read the results of an earlier step"
            elif last[name] > number:
                remedy = remedy or _propose_order(steps)
                yield path, f"steps.{name} has no results yet, because '{name}' runs later: {remedy}"


def _propose_order(steps: Sequence[PlacedStep]) -> str:
    if len(steps) > MAX_ORDERED_STEPS:
        return "move it before this step, or do not read it"
    known = {step.id for step in steps}
    wanted = {step.id: {name for name, _ in step.read_steps() if name in known - {step.id}} for step in steps}
    order: list[str] = []
    while len(order) < len(wanted):
        ready = (name for name in wanted if name not in order and wanted[name] <= set(order))
        if (name := next(ready, None)) is None:
            waiting = _join_names(one for one in wanted if one not in order)
            return f"no order works, because {waiting} read each other's results; remove one reference"
        order.append(name)
    return f"use the order {', '.join(order)}"


def _join_names(names: Iterable[str]) -> str:
    *first, last = (f"'{name}'" for name in names)
    return f"{', '.join(first)} and {last}"


def _find_step_names(text: str) -> list[str]:
    if "steps" not in text:
        return []
    try:
        return sorted(find_names_below(text, "steps"))
    except ExpressionError:  # reported where expressions are checked
        return []


def _find_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield value, path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _find_texts(inner, join_path(path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _find_texts(inner, join_path(path, index))
