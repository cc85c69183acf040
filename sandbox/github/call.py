"""One request to GitHub, about a repository that the caller may see."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.github.callers import Caller
from sandbox.github.workflow_runs import WorkflowRuns
from sandbox.inboxes.inbox import Inbox


@dataclass
class GitHubCall:
    """One request: who calls, about which repository, with which parts of the path, query and body."""

    caller: Caller
    repository: str
    runs: WorkflowRuns
    part: str
    query: Mapping[str, str]
    body: Any
    inbox: Inbox

    def require(self, permission: str, level: str) -> None:
        """Raise GitHubError for what the caller may not do."""
        self.caller.require(permission, level, self.repository)

    def put(self, subject: str) -> None:
        """List what was sent in the inbox."""
        to, text = [f"github.com/{self.repository}"], json.dumps(self.body, ensure_ascii=False)
        self.inbox.put("github", to=to, subject=subject, text=text, body=self.body)
