"""Compares versions of a model with what the entities ModelTags remember, and publishes what has changed."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from durabletask.client import AsyncTaskHubGrpcClient

from mlevents.responses.model_tags import (
    CONFIRM,
    OBSERVE,
    Records,
    VersionGroup,
    find_version_group,
    read_records,
    write_confirmation,
    write_look,
)
from mlevents.responses.tag_record import VersionLook
from mlevents.responses.tagged_event import write_tagged_event
from mlevents.services.machine_learning.registered_models import ModelVersion

_PAUSE = 0.1
"""Seconds between two reads of an entity that has to take a look."""

log = logging.getLogger("mlevents")


class WatchedModel(NamedTuple):
    """A model of a workspace; `archived` says that it is archived with all its versions."""

    topic: str
    model: str
    archived: bool = False


@dataclass(slots=True)
class VersionComparison:
    """Compares pages of versions; `publish` gets the JSON text of each event, and may get it again.

    `patience` is for how many seconds to wait until an entity has taken a look; then the next look publishes.
    `counted` are the versions, and the changes that were published; `failures` are those of publishing.
    """

    client: AsyncTaskHubGrpcClient
    publish: Callable[[str], Awaitable[object]]
    patience: float = 10.0
    counted: Counter[str] = field(default_factory=Counter)
    failures: list[Exception] = field(default_factory=list)

    async def compare(self, place: WatchedModel, versions: Iterable[ModelVersion], at: str) -> None:
        """Compare one page, which was asked for at this time; publish what changed, now or earlier."""
        groups: dict[VersionGroup, dict[str, VersionLook]] = defaultdict(dict)
        for one in versions:
            group = find_version_group(place.topic, place.model, one.version)
            groups[group][one.version] = VersionLook.of(one, archived=place.archived)
            self.counted["versions"] += 1
        for group, looks in groups.items():
            await self._compare_group(group, looks, at)

    async def _compare_group(self, group: VersionGroup, looks: Mapping[str, VersionLook], at: str) -> None:
        records = await self._read(group)
        news = select_news(records, looks, at)
        day = at[:10]
        unchanged = [version for version in looks if version in records and records[version].observed < day]
        if news or unchanged:
            await self.client.signal_entity(group.entity, OBSERVE, write_look(news, unchanged, at))
        if any(version in records for version in news):
            records = await self._await_look(group, news, at)
        await self._publish_changes(group, records)

    async def _await_look(self, group: VersionGroup, news: Mapping[str, VersionLook], at: str) -> Records:
        """What the entity remembers once it has taken the look, or when patience ends."""
        records = await self._read(group)
        for _ in range(int(self.patience / _PAUSE)):
            if not select_news(records, news, at):
                break
            await asyncio.sleep(_PAUSE)
            records = await self._read(group)
        return records

    async def _publish_changes(self, group: VersionGroup, records: Records) -> None:
        """Publish the changes of each version in their order; the next look retries one that fails."""
        published = []
        for version, record in records.items():
            for change in record.changes:
                try:
                    await self.publish(write_tagged_event(group, version, change))
                except Exception as error:
                    log.exception("model %s:%s: its change is not published yet", group.model, version)
                    self.failures.append(error)
                    break
                published.append((version, change.number))
        if published:
            await self.client.signal_entity(group.entity, CONFIRM, write_confirmation(published))
            self.counted["changes"] += len(published)

    async def _read(self, group: VersionGroup) -> Records:
        found = await self.client.get_entity(group.entity)
        return read_records(found.get_typed_state(str) if found else None)


def select_news(records: Records, looks: Mapping[str, VersionLook], at: str) -> dict[str, VersionLook]:
    """The looks that would change what is remembered."""
    return {
        version: found
        for version, found in looks.items()
        if version not in records or records[version].look(found, at) != records[version]
    }
