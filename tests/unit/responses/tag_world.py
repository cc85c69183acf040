"""A workspace's models, and the entities of the tag watch: the app can be killed at each step."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from durabletask.entities import EntityInstanceId

from mlevents.events import Event, parse
from mlevents.orchestration.function_names import MODEL_TAGS
from mlevents.responses.model_tags import model_tags
from mlevents.responses.tag_comparison import VersionComparison
from mlevents.responses.tag_cursor import tag_cursor
from mlevents.responses.tag_watch import TagWatch
from mlevents.rules.tag_scope import TagScope
from mlevents.services.machine_learning.registered_models import ListedModel, ModelVersion
from mlevents.services.paging import Page

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
TOPIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


class CrashError(BaseException):
    """The app is killed here."""


@dataclass
class Entity:
    """One entity: what it stores, and the operation that it performs."""

    text: str | None = None
    operation: str = ""

    def get_state(self, _: type) -> str | None:
        return self.text

    def set_state(self, text: str | None) -> None:
        self.text = text


@dataclass(frozen=True)
class Stored:
    text: str | None

    def get_typed_state(self, _: type) -> str | None:
        return self.text


@dataclass
class TagWorld:
    """`versions` are those of each model; `published` are the events, by each attempt.

    `crashes_before` counts the steps of the app (reads, messages, events) until it is killed; None is never.
    While `is_late`, messages to entities are in `waiting`, until `arrive` performs them, the last one first.
    """

    versions: dict[str, dict[str, ModelVersion]] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    entities: dict[str, Entity] = field(default_factory=dict)
    published: list[Event] = field(default_factory=list)
    sent: list[tuple[EntityInstanceId, str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    reads: int = 0
    now: datetime = BEGAN
    crashes_before: int | None = None
    is_late: bool = False
    waiting: list[tuple[EntityInstanceId, str, str]] = field(default_factory=list)
    page: int = 2
    failures: dict[str, Exception] = field(default_factory=dict)

    # Azure ML

    def register(self, name: str, version: str, **tags: str) -> None:
        found = ModelVersion(name, version, self.now, tags, {"origin": "test"}, modified=self.now)
        self.versions.setdefault(name, {})[version] = found

    def change(self, name: str, version: str, **changes: Any) -> None:
        self.now += timedelta(seconds=1)
        known = self.versions[name][version]
        self.versions[name][version] = replace(known, modified=self.now, **changes)

    def list_models(self, following: str | None = None) -> Page[ListedModel]:
        self._ask("models")
        return self._page([ListedModel(name, name in self.archived) for name in self.versions], following)

    def list_versions(self, name: str, following: str | None = None) -> Page[ModelVersion]:
        self._ask(f"{name}{following or ''}")
        return self._page([*self.versions[name].values()][::-1], following)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if error := self.failures.get(what):
            raise error

    def _page[T](self, values: Sequence[T], following: str | None) -> Page[T]:
        first = int(following or 0)
        last = first + self.page
        return Page(tuple(values[first:last]), str(last) if last < len(values) else None)

    # the task hub

    async def get_entity(self, entity: EntityInstanceId) -> Stored | None:
        await self._step()
        self.reads += 1
        found = self.entities.get(str(entity))
        return Stored(found.text) if found else None

    async def signal_entity(self, entity: EntityInstanceId, operation: str, text: str) -> None:
        await self._step()
        self.sent.append((entity, operation, text))
        if self.is_late:
            self.waiting.append((entity, operation, text))
        else:
            self.perform(entity, operation, text)

    def arrive(self) -> None:
        """Let the messages that wait arrive, the last one first."""
        self.is_late = False
        while self.waiting:
            self.perform(*self.waiting.pop())

    def perform(self, entity: EntityInstanceId, operation: str, text: str) -> None:
        """Let an entity perform an operation, which may have been performed before."""
        own = self.entities.setdefault(str(entity), Entity())
        own.operation = operation
        function = model_tags if entity.entity.casefold() == MODEL_TAGS.casefold() else tag_cursor
        function(cast(Any, own), text)

    async def publish(self, text: str) -> None:
        await self._step()
        self.published.append(parse(text))

    async def _step(self) -> None:
        await asyncio.sleep(0)
        if self.crashes_before is None:
            return
        if self.crashes_before == 0:
            self.crashes_before = None
            raise CrashError
        self.crashes_before -= 1

    # the app

    def look(self, scope: TagScope | None = None, times: int = 1, **limits: Any) -> None:
        """One look by the timer, a minute after the last, or several at once."""
        self.now += timedelta(minutes=1)

        async def look_around() -> None:
            watches = [
                TagWatch(
                    VersionComparison(cast(Any, self), self.publish, patience=0),
                    lambda _: self,
                    now=lambda: self.now,
                    **limits,
                )
                for _ in range(times)
            ]
            await asyncio.gather(*(one.look(scope or TagScope((TOPIC,), (None,))) for one in watches))

        asyncio.run(look_around())

    @property
    def events(self) -> list[Event]:
        """The events, each once: what has an id that came before starts no response."""
        return list({one.id: one for one in self.published}.values())


def names_of(event: Event) -> Mapping[str, Any]:
    """What an event says of its model."""
    found: Mapping[str, Any] = json.loads(json.dumps(event.names["model"]))
    return found
