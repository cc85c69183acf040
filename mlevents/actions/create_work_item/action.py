"""Create a work item of Azure Boards, or an issue of GitHub or Jira, once for each response.

```yaml
uses: create_work_item
with:
  connection: ml-boards
  type: Bug
  title: "Run ${run.id} of ${run.experiment} failed"
  text: |
    The run ${run.id} failed.
    Run: ${run.link}
  labels: [mlops]
```

The work item has this step's key: as a tag in Azure Boards, as a label in Jira, and in a comment at the end
of the text in GitHub, which GitHub does not show. Each attempt first looks for an item with the key. What
remains: when an answer is lost, and the service does not list the item half a minute later, a second one is
created.

`title` and `text` are plain texts. No value can create markup, a mention, a reference or a link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue

from mlevents.actions.action import Action, Done, Outcome, StepContext, action
from mlevents.actions.notify.message_values import list_links, presentable
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.unresolved_parameters import is_unresolved, report_unresolved
from mlevents.errors import PermanentError, TransientError
from mlevents.registry import UnknownNameError
from mlevents.services.connection import ConnectionName, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.http.rest_client import LostAnswerError
from mlevents.services.message_text import is_blank, one_line
from mlevents.services.services import Services
from mlevents.services.work_item import (
    DEFAULT_ITEM_TYPE,
    LONGEST_ITEM_TEXT,
    LONGEST_ITEM_TITLE,
    TracksWorkItems,
    WorkItem,
    WorkItemTracker,
)

TRACKERS = ("azure_devops", "github", "jira")
SEARCH_BACK = timedelta(minutes=10)
"""The largest difference between the clocks of Azure and of the service."""
LONGEST_LABEL = 50
LISTED_AFTER = 30.0
"""Seconds after a lost answer, before the service is searched for what it may have created."""


def _fields(fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if "${" in json.dumps(fields):
        raise ValueError("a field may be markup, so it takes no value of an event: use title, text or labels")
    return fields


@action("create_work_item")
class CreateWorkItem(Action):
    """Create a work item or an issue, and give later steps its link."""

    connection: Annotated[str, ConnectionName(TRACKERS)]
    """name a connection of type `azure_devops`, `github` or `jira`."""
    title: Annotated[str, Field(min_length=1)]
    """write the title, such as `"Run ${run.id} failed"`."""
    text: str = ""
    """The description, as plain text."""
    type: Annotated[str, Field(min_length=1, max_length=100)] = DEFAULT_ITEM_TYPE
    """The type of work item, such as `Bug`; `Task` when left out. Issues of GitHub have none."""
    labels: list[str] = Field(default_factory=list)
    """Labels of the issue, or tags of the work item."""
    fields_: Annotated[dict[str, JsonValue], Field(alias="fields"), AfterValidator(_fields)] = Field(
        default_factory=dict
    )
    """Further fields, such as `{System.AreaPath: 'ml\\ops'}`, without `${…}`; Azure Boards and Jira only."""

    @classmethod
    def present_names(cls, names: Mapping[str, Any], written: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG003
        """Values of one line each, without logs and answers."""
        return presentable(names, include_log=False)

    def find_connection_faults(
        self,
        connections: Mapping[str, Mapping[str, Any]],
        environment: Mapping[str, str],  # noqa: ARG002 - no setting changes the type
    ) -> Iterator[str]:
        """Parameters for which the service has no place."""
        name = str(connections.get(self.connection, {}).get("type"))
        try:
            options = getattr(connection.find(name), "item_options", None)
        except UnknownNameError:
            return  # reported where the connection is written
        given = {"type": self.type != DEFAULT_ITEM_TYPE, "fields": bool(self.fields_)}
        for option, is_given in given.items():
            if options is not None and is_given and option not in options:
                yield f"a connection of type {name} has no {option}: remove `{option}`"

    def perform(self, context: StepContext, services: Services) -> Outcome:
        """Look for the item of an earlier attempt, then create it."""
        tracker, item = self._open(services), self._make_item(context)
        since = find_start(context.event.time)
        if found := tracker.find_item(item.key, since):
            return Done(f"found {found.id} of an earlier attempt", {"id": found.id, "link": found.link})
        try:
            created = tracker.create_item(item)
        except LostAnswerError as error:
            wait = max(error.retry_after or 0.0, LISTED_AFTER)
            raise TransientError(f"{error}; looks for it first", retry_after=wait) from None
        return Done(f"created {created.id}", {"id": created.id, "link": created.link})

    def _make_item(self, context: StepContext) -> WorkItem:
        title = one_line(self.title, LONGEST_ITEM_TITLE)
        if is_blank(title):
            raise PermanentError("the title is blank: write one that says what happened")
        return WorkItem(
            key=context.key,
            title=title,
            text=self.text[:LONGEST_ITEM_TEXT],
            type=self.type,
            labels=tuple(filter(None, map(clean_label, self.labels))),
            fields=self.fields_,
            links=list_links(context.written.get("text"), self.text, context.names),
        )

    def preflight(self, context: Preflight) -> Iterator[Finding]:
        """Read whether items of the type can be created."""
        if is_unresolved(self.type):
            yield report_unresolved("type", self.type)
            return

        def can_create() -> str:
            return self._open(context.services).check_type(self.type)

        yield run_check(f"type '{self.type}'", can_create, "correct `type`, or the connection")

    def _open(self, services: Services) -> WorkItemTracker:
        found = services.connection(self.connection)
        if isinstance(found, TracksWorkItems):
            return found.open_tracker(services)
        text = f"the connection '{self.connection}' has no work items: name one of type {', '.join(TRACKERS)}"
        raise PermanentError(text)


def clean_label(text: str) -> str:
    """One label that each service takes: without the signs that separate tags, at most 50 characters."""
    return re.sub(r"[;,]+", "-", one_line(text, LONGEST_LABEL)).strip(" -")


def find_start(time: str | None) -> datetime:
    """Since when an item of this step may exist: the time of the event; a day ago where it has none."""
    try:
        moment = datetime.fromisoformat(time or "")
    except ValueError:
        return datetime.now(UTC) - timedelta(days=1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - SEARCH_BACK
