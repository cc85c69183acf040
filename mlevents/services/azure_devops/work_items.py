"""Azure Boards: work items of a project, found again by a tag.

https://learn.microsoft.com/rest/api/azure/devops/wit/work-items/create
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from mlevents.services.answer_fields import require_list, require_object
from mlevents.services.azure_devops.project import Project
from mlevents.services.http.rest_client import read_accepted_answer
from mlevents.services.message_document import Span
from mlevents.services.sdk_errors import translate_errors
from mlevents.services.work_item import CreatedItem, WorkItem, WorkItemTracker

_PATCH = {"Content-Type": "application/json-patch+json"}
_TEXT_FIELDS = {"Bug": ("System.Description", "Microsoft.VSTS.TCM.ReproSteps")}
"""A form of a bug shows the second field only."""


@dataclass(frozen=True, slots=True)
class Boards(WorkItemTracker):
    """The work items of one project."""

    project: Project

    def find_item(self, key: str, since: datetime) -> CreatedItem | None:  # noqa: ARG002 - the tag is enough
        """The first work item with the tag."""
        query = (
            "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project "
            f"AND [System.Tags] CONTAINS '{key}' ORDER BY [System.Id]"
        )
        answer = self.project.send("POST", "/wit/wiql", {"query": query})
        with translate_errors(f"searching the work items of '{self.project.name}'"):
            found = require_list(require_object(answer.read_json(), "a result")["workItems"], "its items")
            return self._name(int(found[0]["id"])) if found else None

    def create_item(self, item: WorkItem) -> CreatedItem:
        """Create a work item; every text is escaped for HTML."""
        path = f"/wit/workitems/${quote(item.type, safe='')}"
        body = [
            {"op": "add", "path": f"/fields/{name}", "value": value} for name, value in _list_fields(item)
        ]
        answer = self.project.send("POST", path, body, headers=_PATCH)
        with read_accepted_answer(f"creating a work item in '{self.project.name}'"):
            return self._name(int(require_object(answer.read_json(), "a work item")["id"]))

    def check_type(self, name: str) -> str:
        """Read the type."""
        self.project.get(f"/wit/workitemtypes/{quote(name, safe='')}")
        return f"the project has the type '{name}'"

    def _name(self, number: int) -> CreatedItem:
        return CreatedItem(str(number), f"{self.project.address}/_workitems/edit/{number}")


def _list_fields(item: WorkItem) -> Iterator[tuple[str, Any]]:
    yield "System.Title", item.title
    for name in _TEXT_FIELDS.get(item.type, ("System.Description",)):
        yield name, write_html(item.split_lines())
    yield "System.Tags", "; ".join((*item.labels, item.key))
    yield from item.fields.items()


def write_html(lines: Iterable[Iterable[Span]]) -> str:
    """Lines as HTML in which only known addresses are links."""
    return "<br>".join("".join(map(_write_span, line)) for line in lines)


def _write_span(span: Span) -> str:
    text = escape(span.text)
    return f'<a href="{escape(span.address)}">{text}</a>' if span.address else text
