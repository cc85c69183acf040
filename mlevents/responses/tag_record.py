"""What is remembered of one version of a model, and what a look at it changes: pure.

Looks may be repeated and come late: a look counts by the time of its request, and by Azure's own time of the
last change of the version.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from mlevents.events.model_tagged import OWN_TAGS, list_changed_tags
from mlevents.orchestration.json_message import Json, JsonMessage, read_each
from mlevents.orchestration.size_limits import cut_name
from mlevents.services.machine_learning.registered_models import ModelVersion

_LONGEST_VALUE = 300
"""Characters of JSON of a tag's value that are remembered; of a longer one its beginning and a digest are."""
KEPT_DAYS = 30
"""How long a version is remembered that no look finds any more."""
REGISTRATION_DELAY = timedelta(hours=1)
"""How long after a registration the first look may be, so that what was tagged before it is a change; and how
far the time of its event may be from Azure's own."""


@dataclass(frozen=True, slots=True)
class TagState(JsonMessage):
    """What is compared of a version; None is unknown, and equal to everything."""

    tags: Json = field(default_factory=dict)
    stage: str | None = None
    archived: bool | None = None

    def differs(self, after: "TagState") -> bool:
        """Whether the version was changed from this state to that one."""
        return bool(
            list_changed_tags(dict(self.tags), dict(after.tags))
            or (None not in (self.stage, after.stage) and self.stage != after.stage)
            or (None not in (self.archived, after.archived) and self.archived != after.archived)
        )


@dataclass(frozen=True, slots=True)
class VersionLook(JsonMessage):
    """What Azure ML says of a version; the times are ISO 8601 in UTC."""

    created: str
    modified: str = ""
    tags: Json = field(default_factory=dict)
    properties: Json = field(default_factory=dict)
    stage: str = ""
    archived: bool = False

    @classmethod
    def of(cls, version: ModelVersion, *, archived: bool) -> "VersionLook":
        """The look at a version; `archived` says that its model is archived with all versions."""
        return cls(
            created=format_time(version.created),
            modified=format_time(version.modified) if version.modified else "",
            tags=dict(version.tags),
            properties=dict(version.properties),
            stage=version.stage,
            archived=version.archived or archived,
        )

    @property
    def state(self) -> TagState:
        """What is remembered of it."""
        return TagState(select_tags(self.tags), self.stage, self.archived)


@dataclass(frozen=True, slots=True)
class TagChange(JsonMessage):
    """A change that is to be published; `number` counts those of a version."""

    number: int
    time: str
    before: TagState
    after: VersionLook

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "before": TagState.from_json,
        "after": VersionLook.from_json,
    }


@dataclass(frozen=True, slots=True)
class VersionRecord(JsonMessage):
    """What is remembered of a version.

    `observed` is the day of the last look, `time` when the last change was found. `first` says
    that the state is that of the first look, and nothing has changed since.
    """

    state: TagState
    observed: str
    time: str
    created: str = ""
    modified: str = ""
    number: int = 0
    first: bool = False
    changes: tuple[TagChange, ...] = ()

    parts: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "state": TagState.from_json,
        "changes": read_each(TagChange.from_json),
    }

    def look(self, found: VersionLook, at: str) -> "VersionRecord":
        """The record after a look whose request was sent at this time."""
        is_older = found.modified and found.modified < self.modified
        if at < self.time or is_older or found.created < self.created:
            return self
        known = replace(self, state=found.state, created=found.created, modified=found.modified)
        if self.created not in ("", found.created):
            return replace(known, time=at, first=True)  # deleted, and registered again
        if not self.state.differs(found.state):
            return known
        change = TagChange(self.number + 1, at, self.state, found)
        return replace(known, number=change.number, time=at, first=False, changes=(*self.changes, change))

    def register(self, tags: Json, at: str) -> "VersionRecord":
        """The record after a registration with these tags: the next look finds what was tagged since."""
        registered = datetime.fromisoformat(at)
        if self.created and registered - datetime.fromisoformat(self.created) > REGISTRATION_DELAY:
            begun = register_record(tags, at)  # deleted, and registered again
            return replace(begun, number=self.number, changes=self.changes)
        if not self.first or datetime.fromisoformat(self.time) - registered > REGISTRATION_DELAY:
            return self
        return replace(self, state=replace(self.state, tags=select_tags(tags)), first=False)

    def confirm(self, number: int) -> "VersionRecord":
        """The record without a change that was published."""
        return replace(self, changes=tuple(one for one in self.changes if one.number != number))

    def is_forgotten(self, day: str) -> bool:
        """Whether no look has found the version for long."""
        return not self.changes and day > add_days(self.observed, KEPT_DAYS)


def begin_record(found: VersionLook, at: str) -> VersionRecord:
    """The record of the first look: it is no change."""
    return VersionRecord(found.state, at[:10], at, found.created, found.modified, first=True)


def register_record(tags: Json, at: str) -> VersionRecord:
    """The record of a registration that comes before the first look."""
    return VersionRecord(TagState(select_tags(tags)), at[:10], at)


def select_tags(tags: Json) -> dict[str, str]:
    """The tags that are compared, as they are remembered."""
    return {
        key: cut_name(str(value), _LONGEST_VALUE)
        for key, value in tags.items()
        if not key.startswith(OWN_TAGS)
    }


def add_days(day: str, days: int) -> str:
    """The day that is so many days later."""
    return (datetime.fromisoformat(day) + timedelta(days=days)).date().isoformat()


def format_time(moment: datetime) -> str:
    """The moment in UTC as text that compares as the moment does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
