"""The query of the gates about the target of a step."""

from dataclasses import dataclass

from mlevents.orchestration.json_message import JsonMessage


@dataclass(frozen=True, slots=True)
class ServingQuery(JsonMessage):
    """The progress with which an action's `serving_verb` is called; its result holds a list `serving`.

    `model_tags` says that a gate reads the tags of the models that serve.
    """

    model_tags: bool = False
