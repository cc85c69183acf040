"""The tags of a registered model changed, or it was archived, restored, or moved to another stage.

    {
      "specversion": "1.0",
      "id": "model-tagged-5c0b3a0de81f3d4a97c6",
      "source": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
      "type": "mlevents.ModelTagged",
      "subject": "models/fraud-net:8",
      "data": {
        "modelName": "fraud-net",
        "modelVersion": "8",
        "modelTags": {"stage": "prod", "accuracy": "0.97"},
        "modelProperties": {"framework": "sklearn"},
        "modelStage": "Production",
        "modelArchived": false,
        "changed": ["stage"],
        "before": {"tags": {"stage": "candidate", "accuracy": "0.97"}, "stage": "Staging", "archived": false}
      },
      "time": "2026-03-02T09:20:00Z"
    }

Azure ML publishes no event when a tag changes, so a timer of mlevents compares them and publishes this one to
its own rules: see `mlevents.responses.tag_watch`. `changed` lists the keys of tags alone; without it, they
are worked out from the tags before and after. Tags that begin with `mlevents.` are not compared.
"""  # noqa: E501

from typing import Any, ClassVar

from mlevents.errors import EventError
from mlevents.events.content import Content, folded
from mlevents.events.event_type import EventType, Field, Fields, event_type, text
from mlevents.events.model_registered import MODEL

OWN_TAGS = "mlevents."
"""The beginning of the tags that mlevents writes itself."""
WIRE_TYPE = "mlevents.ModelTagged"


def list_changed_tags(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The keys of the tags that were added, removed or given another value, without those of mlevents."""
    keys = sorted({*before, *after})
    return [key for key in keys if not key.startswith(OWN_TAGS) and before.get(key) != after.get(key)]


def _changed(content: Content) -> list[str]:
    listed = content.members.get("changed")
    if listed is None:
        return list_changed_tags(_before(content)["tags"], content.texts("modelTags"))
    if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
        raise EventError("must be a list of texts", where="data.changed")
    return listed


def _before(content: Content) -> dict[str, Any]:
    """What was so before the change; a stage or an archive mark that is unknown is left out."""
    members = content.members.get("before", {})
    if not isinstance(members, dict):
        raise EventError("must be an object", where="data.before")
    known = Content(folded(members), "")
    found = {"tags": known.texts("tags"), "stage": known.text("stage"), "archived": _flag(known, "archived")}
    return {name: value for name, value in found.items() if value is not None}


def _flag(content: Content, key: str) -> bool | None:
    found = content.members.get(key.lower())
    return found if isinstance(found, bool) else None


@event_type(WIRE_TYPE)
class ModelTagged(EventType):
    """The tags, the stage or the archive mark of a registered model changed, as a timer of mlevents found."""

    kind = "model.tagged"
    from_azure = False
    subject = "models/{model.name}:{model.version}"
    about = ("model", "name")
    fields: ClassVar[Fields] = {
        "model": {
            **MODEL,
            "stage": text(
                "modelStage", description="The stage of the model in Azure ML, which is not a tag."
            ),
            "archived": Field(
                "boolean",
                lambda content: _flag(content, "modelArchived"),
                "modelArchived",
                description="True when this version, or the model with all its versions, is archived.",
            ),
            "changed": Field(
                "list", _changed, "changed", description="The keys of the tags that changed, in order."
            ),
            "before": Field(
                {"tags": "texts", "stage": "text", "archived": "boolean"},
                _before,
                "before",
                description="The tags, the stage and the archive mark before the change.",
                below={
                    "tags": "The tags before the change, by key.",
                    "stage": "The stage before the change.",
                    "archived": "Whether it was archived before the change.",
                },
            ),
        }
    }
