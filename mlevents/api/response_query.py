"""The query of `GET /api/v1/responses`: what narrows the list down, and where the next page begins."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from durabletask.client import OrchestrationQuery, OrchestrationStatus

from mlevents.api.query_parameter import (
    TEXT_SCHEMA,
    QueryError,
    QueryParameter,
    choice_parameter,
    limit_parameter,
    read_query,
    text_parameter,
    time_parameter,
)
from mlevents.canonical import canonical_resource_id, fold
from mlevents.orchestration.size_limits import cut_name
from mlevents.orchestration.start_policy import ENDED_BADLY
from mlevents.responses.custom_status import LONGEST_ID, LONGEST_RULE, LONGEST_SUBJECT
from mlevents.responses.response_view import ListedResponse

OPEN_STATUSES = [
    OrchestrationStatus.PENDING,
    OrchestrationStatus.RUNNING,
    OrchestrationStatus.SUSPENDED,
    OrchestrationStatus.CONTINUED_AS_NEW,
]
ENDED_WELL = [OrchestrationStatus.COMPLETED]
STATUSES: Mapping[str, list[OrchestrationStatus]] = {
    "running": [*OPEN_STATUSES, *ENDED_BADLY],
    "waiting": OPEN_STATUSES,
    "done": ENDED_WELL,
    "failed": [*ENDED_WELL, *ENDED_BADLY],
    "stopped": ENDED_WELL,
    "shadow": ENDED_WELL,
    "refused": ENDED_WELL,
    "quarantined": ENDED_WELL,
}
"""Each status of a response, with those that its orchestration may have: the task hub filters by these.

One that ended badly is running while the sweeper runs it again.
"""
DEFAULT_LIMIT, MOST = 100, 500
HUB_PAGE = 100
"""Instances that are read from the task hub at a time; each brings a custom status of at most 16 KB."""


@dataclass(frozen=True, slots=True)
class PagePosition:
    """Where a page ended: at which page of the task hub, and after which response of it."""

    hub_page: str | None = None
    created: str = ""
    id: str = ""

    def to_text(self) -> str:
        """The position as text for a URL."""
        return base64.urlsafe_b64encode(json.dumps([self.hub_page, self.created, self.id]).encode()).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        """The position that `to_text` wrote; raises QueryError."""
        try:
            page, created, last = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        except (ValueError, TypeError, binascii.Error):
            page, created, last = 0, 0, 0
        if not isinstance(page, str | None) or not isinstance(created, str) or not isinstance(last, str):
            raise QueryError(f"continuation is '{text:.100}': give the text of an earlier answer, unchanged")
        return cls(page, created, last)

    def is_before(self, listed: ListedResponse) -> bool:
        """Whether the response comes after this position, the newest first."""
        return not self.id or (listed.view.created, listed.view.id) < (self.created, self.id)


@dataclass(frozen=True, slots=True)
class ResponseQuery:
    """What a list of responses is narrowed down to; times are aware, and `until` is excluded."""

    status: str | None = None
    rule: str | None = None
    workspace: str | None = None
    event_id: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = DEFAULT_LIMIT
    continuation: PagePosition = PagePosition()

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Self:
        """The query in a URL's parameters; raises QueryError for an unknown name or a bad value."""
        return cls(**read_query(RESPONSE_PARAMETERS, parameters))

    def to_hub_query(self) -> OrchestrationQuery:
        """What of it the task hub filters itself: times, the orchestration's status, the id's beginning."""
        return OrchestrationQuery(
            created_time_from=self.since,
            created_time_to=self.until,
            runtime_status=STATUSES[self.status] if self.status else None,
            max_instance_count=HUB_PAGE,
            instance_id_prefix=f"{self.rule}." if self.rule else None,
        )

    def selects(self, listed: ListedResponse, workspaces: Mapping[str, str]) -> bool:
        """Whether the response is wanted; `workspaces` are those of the rule file, by name."""
        view = listed.view
        wanted = (
            (self.status, view.status),
            (self.rule and cut_name(self.rule, LONGEST_RULE), view.rule),
            (self.event_id and cut_name(self.event_id, LONGEST_ID), view.event.id),
            (self.subject and cut_name(self.subject, LONGEST_SUBJECT), view.event.subject),
        )
        return (
            all(value in (None, found) for value, found in wanted)
            and (self.since is None or self.since <= listed.created)
            and (self.until is None or listed.created < self.until)
            and (self.workspace is None or _is_of(self.workspace, listed.topic, workspaces))
        )


def _is_of(workspace: str, topic: str, workspaces: Mapping[str, str]) -> bool:
    """Whether a topic is the workspace of this ARM id, of this name, or of this name in the rule file."""
    wanted = canonical_resource_id(workspaces.get(workspace, workspace))
    return fold(wanted) in (fold(topic), fold(topic.rpartition("/")[2]))


RESPONSE_PARAMETERS = (
    choice_parameter("status", "Those of one status.", STATUSES),
    text_parameter("rule", "Those of one rule."),
    text_parameter(
        "workspace",
        "Those of one workspace: its name in the rule file, its name in Azure, or its resource id.",
    ),
    text_parameter("event_id", "Those of one event; exactly this text."),
    text_parameter("subject", "Those of events with this subject; exactly this text."),
    time_parameter("since", "Those created at or after this time."),
    time_parameter("until", "Those created before this time."),
    limit_parameter(MOST, DEFAULT_LIMIT),
    QueryParameter(
        "continuation",
        "The page after an earlier one; repeat the other parameters.",
        lambda _, text: PagePosition.read(text),
        TEXT_SCHEMA,
    ),
)
"""What narrows a list of responses down."""
