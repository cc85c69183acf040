"""Looks at the tags of registered models, page by page: changes become events `model.tagged`.

One look continues where the last one stopped, and reads at most `MOST_VERSION_PAGES` pages of versions. It
sends what differs to the entities `ModelTags`, which decide what is a change; what they hold is published,
then confirmed. So a look may stop at any point and run twice at once: a change that an entity has stored is
published, and the id of its event starts each response once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from durabletask.client import AsyncTaskHubGrpcClient

from mlevents.canonical import canonical_resource_id
from mlevents.errors import ActionError, TransientError
from mlevents.responses.tag_comparison import VersionComparison, WatchedModel
from mlevents.responses.tag_cursor import TagCursor, move_cursor, read_cursor
from mlevents.responses.tag_record import format_time
from mlevents.rules.model import Rules
from mlevents.rules.tag_scope import TagScope, find_tag_scope
from mlevents.services.machine_learning.registered_models import ListedModel, ModelVersion
from mlevents.services.paging import Page
from mlevents.services.services import Services
from mlevents.settings import Settings

MOST_VERSION_PAGES = 300
"""Pages of versions that one look reads, one after another; Azure allows 250 at once and 25 a second."""
_LONGEST_LOOK = timedelta(minutes=4)

log = logging.getLogger("mlevents")


class ListsModels(Protocol):
    """The registered models of a workspace; see `RegisteredModels`."""

    def list_models(self, following: str | None = None) -> Page[ListedModel]:
        """A page of models."""
        ...

    def list_versions(self, name: str, following: str | None = None) -> Page[ModelVersion]:
        """A page of versions."""
        ...


@dataclass(slots=True)
class TagWatch:
    """One look at the models that `open_models` gives for the ARM id of a workspace."""

    comparison: VersionComparison
    open_models: Callable[[str], ListsModels]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    most_pages: int = MOST_VERSION_PAGES
    pages: int = 0
    ends: datetime = field(init=False)

    async def look(self, scope: TagScope) -> None:
        """Look at as many models as the limits allow, then raise the first failure, if there was one.

        What cannot be read does not hold up the rest. Where Azure throttles, the look ends, and none begins
        before the time that Azure asked to wait is over.
        """
        began, client = self.now(), self.comparison.client
        cursor = await read_cursor(client)
        if format_time(began) < cursor.not_before:
            return
        self.ends = began + _LONGEST_LOOK
        following = await self._look_from(cursor, scope)
        if not (cursor.is_at_start and following.is_at_start):
            await move_cursor(client, following)
        log.info("looked at the tags of models: %s", dict(self.comparison.counted))
        if failures := self.comparison.failures:
            raise failures[0]

    async def _look_from(self, cursor: TagCursor, scope: TagScope) -> TagCursor:
        """Look at the models from the cursor on; gives where the next look continues."""
        places: list[WatchedModel] = []
        for topic in scope.workspaces:
            try:
                places += [one for one in await self._list_models(topic) if scope.covers(topic, one.model)]
            except ActionError as error:
                if wait := self._find_wait(error, f"the models of {topic} were not listed"):
                    return replace(cursor, moved=format_time(self.now()), not_before=wait)
        for place in rotate(places, cursor):
            link = cursor.following if find_place(place) == find_place(cursor) else ""
            if stopped := await self._look_at(place, link):
                return stopped
        return TagCursor(format_time(self.now()))

    async def _list_models(self, topic: str) -> list[WatchedModel]:
        models, found = self.open_models(topic), list[WatchedModel]()
        following: str | None = None
        while True:
            page = await asyncio.to_thread(models.list_models, following)
            found += [WatchedModel(topic, one.name, one.archived) for one in page.values]
            following = page.following
            if following is None:
                return found

    async def _look_at(self, place: WatchedModel, link: str) -> TagCursor | None:
        """Look at the versions of a model from this page on; where to go on if the look ends, else None."""
        models, wait = self.open_models(place.topic), ""
        while not (self.pages >= self.most_pages or self.now() >= self.ends):
            self.pages += 1
            at = format_time(self.now())
            try:
                page = await asyncio.to_thread(models.list_versions, place.model, link or None)
            except ActionError as error:
                wait = self._find_wait(error, f"the versions of model '{place.model}' were not read")
                if not wait:
                    return None
                break
            await self.comparison.compare(place, page.values, at)
            if page.following is None:
                return None
            link = page.following
        return TagCursor(format_time(self.now()), place.topic, place.model, link, wait)

    def _find_wait(self, error: ActionError, what: str) -> str:
        """Until when Azure asks to wait; empty for another failure, which is logged and kept."""
        if isinstance(error, TransientError) and error.retry_after is not None:
            log.warning("%s: Azure asks to wait %g s", what, error.retry_after)
            return format_time(self.now() + timedelta(seconds=error.retry_after))
        log.error("%s: %s", what, error)
        self.comparison.failures.append(error)
        return ""


async def watch_tags(
    client: AsyncTaskHubGrpcClient,
    publish: Callable[[str], Awaitable[object]],
    rules: Rules,
    settings: Settings,
) -> None:
    """One look at the models that rules ask for; without a request where no rule asks for `model.tagged`."""
    scope = find_tag_scope(rules)
    if scope.workspaces and settings.mode != "disabled":
        services = Services(settings)
        watch = TagWatch(
            VersionComparison(client, publish), lambda topic: services.machine_learning(topic).models
        )
        await watch.look(scope)


def find_place(place: WatchedModel | TagCursor) -> tuple[str, str]:
    """What makes two places the same, and their order."""
    return canonical_resource_id(place.topic), place.model


def rotate(places: Sequence[WatchedModel], cursor: TagCursor) -> list[WatchedModel]:
    """The places in their order, from the cursor's on."""
    return sorted(places, key=lambda one: (find_place(one) < find_place(cursor), find_place(one)))
