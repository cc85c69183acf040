"""One request to Azure DevOps, about a project that exists."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.devops.pipeline_runs import PipelineRuns
from sandbox.inboxes.inbox import Inbox


@dataclass
class DevOpsCall:
    """One request: about which project, with which parts of the path, query and body."""

    address: str
    project: str
    runs: PipelineRuns
    part: str
    query: Mapping[str, str]
    content_type: str
    body: Any
    inbox: Inbox

    def put(self, subject: str) -> None:
        """List what was sent in the inbox."""
        to, text = [self.address.removeprefix("https://")], json.dumps(self.body, ensure_ascii=False)
        self.inbox.put("azure_devops", to=to, subject=subject, text=text, body=self.body)
