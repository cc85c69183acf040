"""The event of a change that the tag watch found, as CloudEvents 1.0."""

from typing import Any

from mlevents.canonical import canonical_resource_id, join_parts
from mlevents.events.model_tagged import WIRE_TYPE, list_changed_tags
from mlevents.orchestration.serialization import to_text
from mlevents.responses.model_tags import VersionGroup
from mlevents.responses.response_id import digest
from mlevents.responses.tag_record import TagChange, select_tags


def write_tagged_event(group: VersionGroup, version: str, change: TagChange) -> str:
    """The JSON text of the event of one change; each time the same.

    Its id is made of the version, the number of the change and the new state: a change back has another.
    """
    after, state = change.after, to_text(change.after.state.to_json())
    place = (canonical_resource_id(group.topic), group.model, version, after.created)
    document = {
        "specversion": "1.0",
        "id": f"model-tagged-{digest(join_parts(*place, str(change.number), state))}",
        "source": group.topic,
        "type": WIRE_TYPE,
        "subject": f"models/{group.model}:{version}",
        "time": change.time,
        "data": {"modelName": group.model, "modelVersion": version, **_write_change(change)},
    }
    return to_text(document)


def _write_change(change: TagChange) -> dict[str, Any]:
    before, after = change.before, change.after
    return {
        "modelTags": after.tags,
        "modelProperties": after.properties,
        "modelStage": after.stage,
        "modelArchived": after.archived,
        "changed": list_changed_tags(dict(before.tags), select_tags(after.tags)),
        "before": before.to_json(),
    }
