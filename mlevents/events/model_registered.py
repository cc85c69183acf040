"""A model, or a new version of one, was registered.

    {
      "id": "6a0c6f0e-5f3b-4f0e-9c55-0d6f3c1b7a01",
      "topic": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
      "subject": "models/fraud-net:8",
      "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
      "eventTime": "2026-03-02T09:15:27.1234567Z",
      "data": {
        "modelName": "fraud-net",
        "modelVersion": "8",
        "modelTags": {"stage": "production", "accuracy": "0.97"},
        "modelProperties": {"framework": "sklearn"}
      },
      "dataVersion": "2",
      "metadataVersion": "1"
    }

The version is text on the wire, though the documentation shows a number. For later changes of a model's
tags see `mlevents.events.model_tagged`.
"""  # noqa: E501

from collections.abc import Mapping
from typing import ClassVar

from mlevents.events.content import Content
from mlevents.events.event_type import EventType, Field, Fields, event_type, text, texts

_NAME, _VERSION = text("modelName"), text("modelVersion")


def _name(content: Content) -> str | None:
    return _NAME.read(content) or _subject(content)[0] or None


def _version(content: Content) -> str | None:
    return _VERSION.read(content) or _subject(content)[1] or None


def _subject(content: Content) -> tuple[str, str]:
    name, _, version = content.subject.get("models", "").partition(":")
    return name, version


MODEL: Mapping[str, Field] = {
    "name": Field(
        "text",
        _name,
        "modelName",
        in_subject=("models/", ":"),
        description="The registered name of the model, such as fraud-net.",
    ),
    "version": Field(
        "text",
        _version,
        "modelVersion",
        description='The version of the model as text, such as "8"; `gte` and `version` compare it.',
    ),
    "tags": texts(
        "modelTags", "The tags of the model, by key: at its registration, in model.tagged after the change."
    ),
    "properties": texts("modelProperties", "The properties of the model, by key; they never change."),
}
"""The names of a model, which ModelRegistered and mlevents.ModelTagged share."""


@event_type("Microsoft.MachineLearningServices.ModelRegistered")
class ModelRegistered(EventType):
    """A model, or a new version of one, is registered; later changes of its tags are model.tagged."""

    kind = "model.registered"
    function = "ModelRegistered"
    subject = "models/{model.name}:{model.version}"
    about = ("model", "name")
    fields: ClassVar[Fields] = {"model": MODEL}
