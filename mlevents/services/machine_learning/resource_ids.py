"""Names and ids of Azure Machine Learning: parsed strictly, compared as Azure compares them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from mlevents.errors import PermanentError
from mlevents.workspace_id import WorkspaceId

ASSET_NAME = re.compile(r"[A-Za-z0-9][-\w.]{0,254}", re.ASCII)
ENDPOINT_NAME = re.compile(r"[A-Za-z0-9][-\w]{0,254}", re.ASCII)
STUDIO = "https://ml.azure.com"


@dataclass(frozen=True, slots=True)
class Workspace(WorkspaceId):
    """A workspace, and the ids and pages of what is in it."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take an ARM id apart, whatever its case; raises PermanentError for any other id."""
        try:
            found = WorkspaceId.parse(text)
        except ValueError as error:
            raise PermanentError(str(error)) from error
        return cls(found.subscription, found.group, found.name)

    @property
    def place(self) -> dict[str, Any]:
        """The arguments by which every ARM operation finds the workspace."""
        return {"resource_group_name": self.group, "workspace_name": self.name}

    def asset(self, kind: str, name: str, version: str) -> str:
        """The ARM id of a versioned asset; `kind` is `models`, `components`, `environments`, …"""
        for part in (name, version):
            if not ASSET_NAME.fullmatch(part):
                raise PermanentError(
                    f"'{name}:{version}' is not a valid name of a {kind.removesuffix('s')}: "
                    "Azure ML's names and versions hold letters, digits, dots, dashes and underscores"
                )
        return f"{self.id}/{kind}/{name}/versions/{version}"

    def endpoint(self, name: str) -> str:
        """The ARM id of an online endpoint."""
        return f"{self.id}/onlineEndpoints/{name}"

    def run_link(self, run: str) -> str:
        """The page of a job or run in Azure ML Studio."""
        return f"{STUDIO}/runs/{quote(run, safe='')}?wsid={quote(self.id)}"

    def endpoint_link(self, endpoint: str) -> str:
        """The page of an online endpoint in Azure ML Studio."""
        return f"{STUDIO}/endpoints/realtime/{quote(endpoint, safe='')}/detail?wsid={quote(self.id)}"


def check_name(text: str, kind: str) -> str:
    """The name of an endpoint, deployment or compute; raises PermanentError for what cannot be one.

    So checked, it is safe as a segment of a path and as the value of a header.
    """
    if ENDPOINT_NAME.fullmatch(text):
        return text
    raise PermanentError(
        f"'{text}' is not the name of a {kind}: Azure ML's names hold letters, digits, dashes and underscores"
    )


def same_asset(one: str, other: str) -> bool:
    """Whether two ARM ids name one asset: all but its name and version compares without case."""
    head, _, tail = one.rpartition("/versions/")
    other_head, _, other_tail = other.rpartition("/versions/")
    return tail == other_tail and _folded(head) == _folded(other_head)


def _folded(head: str) -> str:
    path, _, name = head.removeprefix("azureml:").rpartition("/")
    return f"{path.lower()}/{name}"


def name_and_version(reference: str) -> tuple[str, str, str]:
    """Take `name:version` or `name@label` apart into name, version and label; one is empty.

    The prefix `azureml:` that YAML writes is allowed; raises PermanentError for another form.
    """
    text = reference.removeprefix("azureml:")
    name, colon, version = text.partition(":")
    if colon and ASSET_NAME.fullmatch(name) and ASSET_NAME.fullmatch(version):
        return name, version, ""
    name, at, label = text.partition("@")
    if at and ASSET_NAME.fullmatch(name) and ASSET_NAME.fullmatch(label):
        return name, "", label
    raise PermanentError(f"'{reference}' names no asset: write name:version or name@latest")
