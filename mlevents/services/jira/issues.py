"""Issues of a Jira project, found again by a label.

https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlevents.errors import ActionError, PermanentError
from mlevents.services.answer_fields import require_list, require_object, require_text
from mlevents.services.http.answers import read_wait
from mlevents.services.http.http_client import HttpAnswer
from mlevents.services.http.rest_client import (
    RestClient,
    read_accepted_answer,
    translate_status,
)
from mlevents.services.message_document import Span
from mlevents.services.sdk_errors import clean_text, translate_errors
from mlevents.services.work_item import CreatedItem, WorkItem, WorkItemTracker

_LIMIT_WAIT = 30.0
_REMEDIES = {
    401: "renew the API token, or correct `user`",
    403: "give the account the permissions Browse projects and Create issues",
    404: "correct `site` and `project`, or let the account browse the project",
}


@dataclass(frozen=True, slots=True)
class JiraIssues(WorkItemTracker):
    """The issues of one project; `site` is where people find them."""

    rest: RestClient
    site: str
    project: str

    def find_item(self, key: str, since: datetime) -> CreatedItem | None:  # noqa: ARG002 - the label is enough
        """The first issue with the label."""
        jql = f'project = "{self.project}" AND labels = "{key}" ORDER BY created ASC'
        body = {"jql": jql, "fields": ["labels"], "maxResults": 1}
        with translate_errors(f"searching the issues of {self.project}"):
            answer = require_object(self.rest.send("POST", "/search/jql", body).read_json(), "a result")
            found = require_list(answer["issues"], "the issues")
            return self._name(found[0]) if found else None

    def create_item(self, item: WorkItem) -> CreatedItem:
        """Create an issue; its text is a document, in which a text is nothing but text."""
        labels = [re.sub(r"\s+", "-", label.strip()) for label in item.labels]
        fields = {
            "project": {"key": self.project},
            "issuetype": {"name": item.type},
            "summary": item.title,
            "description": write_document(item.split_lines()),
            "labels": [*labels, item.key],
            **item.fields,
        }
        answer = self.rest.send("POST", "/issue", {"fields": fields}, expected=(201,))
        with read_accepted_answer(f"creating an issue in {self.project}"):
            return self._name(answer.read_json())

    def check_type(self, name: str) -> str:
        """Read the types of the project."""
        answer = self.rest.get(f"/issue/createmeta/{self.project}/issuetypes")
        with translate_errors(f"reading the issue types of {self.project}"):
            listed = require_list(require_object(answer, "the types")["issueTypes"], "the types")
            names = [require_text(one["name"], "a type") for one in listed]
        if name not in names:
            raise PermanentError(
                f"'{name}' is not an issue type of {self.project}: use one of {', '.join(names)}"
            )
        return f"the project has the type '{name}'"

    def read_name(self) -> str:
        """That the project exists, with its name."""
        with translate_errors(f"reading the project {self.project}"):
            found = require_object(self.rest.get(f"/project/{self.project}"), "a project")
            return f"exists, '{require_text(found['name'], 'its name')}'"

    def _name(self, answer: Any) -> CreatedItem:
        key = require_text(require_object(answer, "an issue")["key"], "the key of an issue")
        return CreatedItem(key, f"{self.site}/browse/{key}")


def write_document(lines: Iterable[Iterable[Span]]) -> dict[str, Any]:
    """The lines in the Atlassian Document Format; only known addresses are links.

    https://developer.atlassian.com/cloud/jira/platform/apis/document/structure
    """
    paragraphs = [
        {"type": "paragraph", "content": [_write_node(span) for span in line if span.text]} for line in lines
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def _write_node(span: Span) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": span.text}
    return {**node, "marks": [{"type": "link", "attrs": {"href": span.address}}]} if span.address else node


def translate_jira_refusal(answer: HttpAnswer, place: str) -> ActionError:
    """The error for an answer that is not the expected one."""
    text = f"{place} answered {answer.status}: {_read_faults(answer) or 'nothing'}"
    wait = read_wait(answer) or _LIMIT_WAIT if answer.status == 429 else None
    return translate_status(answer, text, _REMEDIES, wait)


def _read_faults(answer: HttpAnswer) -> str:
    """What Jira says, as one line: its messages, and the fault of each field."""
    try:
        document: Any = answer.read_json()
    except (ValueError, RecursionError):
        return clean_text(answer.text[:2048])[:300]
    if not isinstance(document, Mapping):
        return ""
    messages, errors = document.get("errorMessages"), document.get("errors")
    parts = [str(one) for one in messages] if isinstance(messages, list) else []
    parts += [f"{name}: {fault}" for name, fault in errors.items()] if isinstance(errors, Mapping) else []
    return clean_text("; ".join(parts))[:300]
