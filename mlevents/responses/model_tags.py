"""The entity ModelTags: the tags of some versions of one model, as the last look found them.

The entity alone decides what is a change and numbers it, so simultaneous or repeated looks find it once. A
change stays in the entity until it is published. The state is compressed: 25 versions with 50 tags each fit
into one row of a table.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from durabletask.entities import EntityContext, EntityInstanceId

from mlevents.canonical import canonical_resource_id, join_parts
from mlevents.orchestration.endpoint_lease import FORGET
from mlevents.orchestration.function_names import MODEL_TAGS
from mlevents.orchestration.json_message import Json
from mlevents.orchestration.serialization import to_text
from mlevents.responses.response_id import digest
from mlevents.responses.tag_record import (
    KEPT_DAYS,
    VersionLook,
    VersionRecord,
    add_days,
    begin_record,
    register_record,
)

OBSERVE, REGISTER, CONFIRM = "observe", "register", "confirm"
VERSIONS_TOGETHER, OTHER_GROUPS, MOST_DIGITS = 25, 32, 9
"""Numbered versions that share an entity, and entities for the versions of a model that are no numbers."""

type Records = Mapping[str, VersionRecord]


@dataclass(frozen=True, slots=True)
class VersionGroup:
    """Some versions of one model, which share an entity."""

    topic: str
    model: str
    label: str

    @property
    def entity(self) -> EntityInstanceId:
        """The entity that remembers them."""
        place = digest(join_parts(canonical_resource_id(self.topic), self.model))
        return EntityInstanceId(MODEL_TAGS, f"{place}.{self.label}")


def find_version_group(topic: str, model: str, version: str) -> VersionGroup:
    """The group of a version: neighbours by number, or else by a checksum of its name."""
    if version.isascii() and version.isdigit() and len(version) <= MOST_DIGITS:
        return VersionGroup(topic, model, str(int(version) // VERSIONS_TOGETHER))
    return VersionGroup(topic, model, f"x{zlib.crc32(version.encode('utf-8', 'replace')) % OTHER_GROUPS}")


def model_tags(context: EntityContext, text: Any) -> str:
    """Perform an operation with its JSON text: `observe`, `register`, `confirm` or `forget`."""
    stored: str | None = context.get_state(str)
    if context.operation == FORGET:
        if stored == text:
            context.set_state(None)
        return ""
    records, document = dict(read_records(stored)), json.loads(text)
    change = {OBSERVE: _look, REGISTER: _register, CONFIRM: _confirm}[context.operation]
    kept = write_records(change(records, document))
    if kept != stored:
        context.set_state(kept)
    return ""


def write_look(looks: Mapping[str, VersionLook], unchanged: Iterable[str], at: str) -> str:
    """The text of `observe`: what a look at this time found; `unchanged` are versions without news."""
    found = {version: one.to_json() for version, one in looks.items()}
    return to_text({"at": at, "looks": found, "unchanged": list(unchanged)})


def write_registration(version: str, tags: Json, at: str) -> str:
    """The text of `register`: a version was registered with these tags at this time."""
    return to_text({"version": version, "tags": tags, "at": at})


def write_confirmation(published: Iterable[tuple[str, int]]) -> str:
    """The text of `confirm`: changes, by version and number, were published."""
    return to_text({"published": [list(one) for one in published]})


def read_records(text: str | None) -> Records:
    """What the entity remembers, by version."""
    documents = json.loads(zlib.decompress(base64.b64decode(text))) if text else {}
    return {version: VersionRecord.from_json(one) for version, one in documents.items()}


def write_records(records: Records) -> str:
    """The state of the entity."""
    documents = {version: one.to_json() for version, one in sorted(records.items())}
    return base64.b64encode(zlib.compress(to_text(documents).encode())).decode()


def is_abandoned(text: str, day: str) -> bool:
    """Whether nobody has looked at these versions for long, and nothing has to be published."""
    records = read_records(text).values()
    return all(day > add_days(one.observed, KEPT_DAYS) and not one.changes for one in records)


def _look(records: dict[str, VersionRecord], document: Json) -> Records:
    at, day = document["at"], document["at"][:10]
    for version, written in document["looks"].items():
        found, known = VersionLook.from_json(written), records.get(version)
        records[version] = known.look(found, at) if known else begin_record(found, at)
    for version in (*document["looks"], *document["unchanged"]):
        if known := records.get(version):
            records[version] = replace(known, observed=max(known.observed, day))
    return {version: one for version, one in records.items() if not one.is_forgotten(day)}


def _register(records: dict[str, VersionRecord], document: Json) -> Records:
    version, tags, at = document["version"], document["tags"], document["at"]
    known = records.get(version)
    records[version] = known.register(tags, at) if known else register_record(tags, at)
    return records


def _confirm(records: dict[str, VersionRecord], document: Json) -> Records:
    for version, number in document["published"]:
        if known := records.get(version):
            records[version] = known.confirm(number)
    return records
