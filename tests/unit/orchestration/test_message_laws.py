"""Every message that travels is read back as it was written, whatever it holds."""

import importlib
import json
import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlevents.orchestration.answer import Answer
from mlevents.orchestration.json_message import JsonMessage
from mlevents.orchestration.messages import Failure

PACKAGES = ("mlevents.orchestration", "mlevents.responses", "mlevents.actions.deploy_model")
WRITTEN_ONLY = {"ResponseView": "the API's answer", "StepView": "a part of the API's answer"}
"""Messages that this app never reads, each with the reason."""

TEXTS = st.text(max_size=4)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    TEXTS | st.integers() | NUMBERS | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    Any: JSON,
    str: TEXTS,
    float: NUMBERS,
    int: st.integers(),
    bool: st.booleans(),
    NoneType: st.none(),
}
OWN_NAMES = {field.name for field in fields(Failure)}
PARTICULAR: dict[tuple[type, str], st.SearchStrategy[Any]] = {
    (Answer, "after"): NUMBERS,  # a pending answer has one
    (Failure, "report"): st.dictionaries(TEXTS.filter(lambda name: name not in OWN_NAMES), JSON, max_size=2),
}
DEEPEST = 3
"""Levels of messages within messages: a call holds a response, which may hold calls."""


def message_classes() -> list[type[JsonMessage]]:
    """Every message class of the packages."""
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found = {one for one in JsonMessage.__subclasses__() if one.__module__.startswith(PACKAGES)}
    return sorted(
        (one for one in found if vars(sys.modules[one.__module__]).get(one.__name__) is one),
        key=lambda one: one.__name__,
    )


def values(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values of a type that a message's field has."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if is_dataclass(kind):
        return messages(kind, depth + 1)  # type: ignore[arg-type]
    return SCALARS[kind] if kind in SCALARS else composed_values(get_origin(kind), get_args(kind), depth)


def composed_values(origin: Any, parts: tuple[Any, ...], depth: int) -> st.SearchStrategy[Any]:
    """Values of a type that is made of others: a choice, a union, a tuple or a mapping."""
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, UnionType):
        return st.one_of(*(values(one, depth) for one in parts))
    if origin is tuple:
        return st.lists(values(parts[0], depth), max_size=2).map(tuple)
    assert origin in (dict, Mapping), f"no values for {origin}"
    return st.dictionaries(TEXTS, values(parts[1], depth), max_size=2)


def messages(kind: type, depth: int = 0) -> st.SearchStrategy[Any]:
    """Messages of a class; those far within others have the default values."""
    hints = get_type_hints(kind)

    def own(field: Field[Any]) -> st.SearchStrategy[Any]:
        particular = PARTICULAR.get((kind, field.name))
        return values(hints[field.name], depth) if particular is None else particular

    used = [field for field in fields(kind) if depth < DEEPEST or not _has_default(field)]
    return st.builds(kind, **{field.name: own(field) for field in used})


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


@pytest.mark.parametrize("kind", [one for one in message_classes() if one.__name__ not in WRITTEN_ONLY])
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_message_is_read_as_it_was_written(kind: type[JsonMessage], data: st.DataObject) -> None:
    message = data.draw(messages(kind))
    assert kind.from_json(json.loads(json.dumps(message.to_json()))) == message


def test_the_messages_are_found() -> None:
    names = {one.__name__ for one in message_classes()}
    assert names >= {
        "Answer",
        "Call",
        "Response",
        "Progress",
        "RolloutRecord",
        "ResponseOutcome",
        "LeaseState",
    }
    assert names >= WRITTEN_ONLY.keys()
