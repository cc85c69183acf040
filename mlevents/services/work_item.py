"""A work item or issue, and what every service has that creates them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol, runtime_checkable

from pydantic import JsonValue

from mlevents.services.connection import SettingSource
from mlevents.services.message_document import Span, split_links

DEFAULT_ITEM_TYPE = "Task"
"""Each process of Azure Boards, and each template of Jira, has it."""
LONGEST_ITEM_TITLE, LONGEST_ITEM_TEXT = 250, 30_000
"""Characters: Azure Boards takes titles of 255, Jira texts of 32,767."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """What is created. `key` marks it; in the plain `text`, addresses that begin as `links` do are links."""

    key: str
    title: str
    text: str
    type: str = DEFAULT_ITEM_TYPE
    labels: tuple[str, ...] = ()
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    links: tuple[str, ...] = ()

    def split_lines(self) -> Iterator[Iterable[Span]]:
        """Each line of the text, as pieces of text and links."""
        for line in self.text.splitlines():
            yield split_links(line, self.links)


@dataclass(frozen=True, slots=True)
class CreatedItem:
    """A work item as its service names it."""

    id: str
    link: str


class WorkItemTracker(ABC):
    """Where work items are created and found again."""

    @abstractmethod
    def find_item(self, key: str, since: datetime) -> CreatedItem | None:
        """The item with this key, created since a time; None where the service lists none."""

    @abstractmethod
    def create_item(self, item: WorkItem) -> CreatedItem:
        """Create it; raises LostAnswerError when it may have been created all the same."""

    @abstractmethod
    def check_type(self, name: str) -> str:
        """Say that items of this type can be created, as far as can be read; raises PermanentError."""


@runtime_checkable
class TracksWorkItems(Protocol):
    """A connection in which work items are created; `item_options` are the parameters it has a place for."""

    item_options: ClassVar[tuple[str, ...]]

    def open_tracker(self, services: SettingSource) -> WorkItemTracker:
        """The tracker; raises ConfigError or PermanentError."""
        ...
