"""A workflow's file, as far as a dispatch depends on it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

FOLDER = ".github/workflows/"
EXPRESSION = re.compile(
    r"\$\{\{\s*(inputs|github\.event\.inputs|github\.event\.client_payload)\.(\w+)\s*\}\}"
)
ANY_WORKFLOW = """\
name: any
run-name: any ${{ inputs.mlevents_response }}${{ github.event.client_payload.mlevents_response }}
on: {workflow_dispatch: {}, repository_dispatch: {}}
"""


@dataclass
class WorkflowFile:
    """A workflow: its file at each branch and tag is the same. `takes_any` input, declared or not."""

    id: int
    name: str
    text: str
    state: str = "active"
    takes_any: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """The file, read as YAML 1.2 does: `on` is a word."""
        found = yaml.load(self.text, yaml.BaseLoader)
        return found if isinstance(found, dict) else {}

    def trigger(self, event: str) -> Mapping[str, Any] | None:
        """What the file says of an event; None when it does not wait for it."""
        triggers = self.content.get("on")
        if isinstance(triggers, dict):
            return (triggers[event] or {}) if event in triggers else None
        return {} if event == triggers or (isinstance(triggers, list) and event in triggers) else None

    def name_run(self, values: Mapping[str, Any], default: str) -> str:
        """The name of a run with these inputs, or this payload."""
        form = self.content.get("run-name")
        return EXPRESSION.sub(lambda found: str(values.get(found[2], "")), form) if form else default
