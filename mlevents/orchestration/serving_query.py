"""The query of the gates about the target of a step, and its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlevents.gates.gate import Served
from mlevents.orchestration.json_message import JsonMessage, read_each


@dataclass(frozen=True, slots=True)
class ServingQuery(JsonMessage):
    """The progress with which an action's `serving_verb` is called; the result is a `ServingReport`.

    `model_tags` says that a gate reads the tags of the models that serve.
    """

    model_tags: bool = False


@dataclass(frozen=True, slots=True)
class ServingReport(JsonMessage):
    """The deployments with traffic, the one with most traffic first."""

    serving: tuple[Served, ...]

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"serving": read_each(Served.from_json)}
