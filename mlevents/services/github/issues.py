"""Issues of a repository, found again by a mark in their text.

https://docs.github.com/rest/issues/issues
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlevents.errors import PermanentError
from mlevents.services.answer_fields import require_list, require_object, require_text, require_time
from mlevents.services.chat.chat_text import BREAK, neutralize_text
from mlevents.services.github.repository import Repository
from mlevents.services.http.rest_client import read_accepted_answer
from mlevents.services.message_document import Span
from mlevents.services.sdk_errors import translate_errors
from mlevents.services.work_item import CreatedItem, WorkItem, WorkItemTracker

_PER_PAGE, _PAGES = 10, 50
"""An issue may have 64 kB of text, and an answer 1 MB."""
_NEWEST_FIRST = {"state": "all", "sort": "created", "direction": "desc"}
_REFERENCE = re.compile(r"(?i)(?<!\w)(gh-(?=\d)|[0-9a-f]{3}(?=[0-9a-f]{4,37}(?!\w)))")
"""`GH-12`, and what may be the hash of a commit: GitHub makes links of both."""


@dataclass(frozen=True, slots=True)
class Issues(WorkItemTracker):
    """The issues of one repository."""

    repository: Repository

    def find_item(self, key: str, since: datetime) -> CreatedItem | None:
        """The issue with the mark; the newest issues are read, back to this time."""
        for page in range(1, _PAGES + 1):
            query = {
                "state": "all",
                "sort": "created",
                "direction": "desc",
                "per_page": _PER_PAGE,
                "page": page,
            }
            with translate_errors(f"listing the issues of {self.repository.name}"):
                listed = require_list(self.repository.rest.get("/issues", query), "the issues")
                for one in listed:
                    if make_mark(key) in str(one.get("body")):
                        return _name(one)
                if len(listed) < _PER_PAGE or require_time(listed[-1]["created_at"], "a time") < since:
                    return None
        return None

    def create_item(self, item: WorkItem) -> CreatedItem:
        """Create an issue; no text of it mentions anyone, or refers to an issue."""
        body = f"{write_issue_text(item)}\n\n{make_mark(item.key)}"
        issue = {"title": item.title, "body": body, "labels": list(item.labels)}
        answer = self.repository.rest.send("POST", "/issues", issue, expected=(201,))
        with read_accepted_answer(f"creating an issue in {self.repository.name}"):
            return _name(answer.read_json())

    def check_type(self, name: str) -> str:  # noqa: ARG002 - issues have no type here
        """Read whether the repository has issues."""
        with translate_errors(f"reading the repository {self.repository.name}"):
            has_issues = require_object(self.repository.rest.get(""), "a repository").get("has_issues", True)
        if not has_issues:
            raise PermanentError(f"the repository {self.repository.name} has no issues: enable them")
        return "the repository has issues"


def make_mark(key: str) -> str:
    """What the text of an issue ends with; GitHub does not show it."""
    return f"<!-- {key} -->"


def write_issue_text(item: WorkItem) -> str:
    """The text as Markdown without markup, mentions and references; only known addresses are links."""
    return "\n".join("".join(map(_write_piece, line)) for line in item.split_lines())


def _write_piece(span: Span) -> str:
    return span.address or _REFERENCE.sub(rf"\1{BREAK}", neutralize_text(span.text))


def _name(answer: Any) -> CreatedItem:
    issue = require_object(answer, "an issue")
    return CreatedItem(f"#{int(issue['number'])}", require_text(issue["html_url"], "the link of an issue"))
