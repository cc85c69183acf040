"""Names and ids in Azure Machine Learning, parsed strictly and compared as Azure compares them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from mlevents.errors import PermanentError
from mlevents.events.studio_links import STUDIO, endpoint_page, model_page, run_page
from mlevents.workspace_id import WorkspaceId

ASSET_NAME = re.compile(r"[A-Za-z0-9][-\w.]{0,254}", re.ASCII)
ENDPOINT_NAME = re.compile(r"[A-Za-z0-9][-\w]{0,254}", re.ASCII)
CURATED_PREFIX = "AzureML-"
"""The prefix of Azure's curated environments, which Azure ML finds by name."""
LATEST_LABEL = "latest"
"""The only label that Azure ML resolves."""

_PART = r"[A-Za-z0-9][-\w.]{0,254}"
REGISTRY_MODEL = re.compile(
    rf"azureml://registries/(?P<registry>[A-Za-z0-9][-\w]{{1,32}})/models/(?P<name>{_PART})/versions/(?P<version>{_PART})",
    re.ASCII,
)
WORKSPACE_MODEL = re.compile(
    rf"(?:azureml:)?(?P<workspace>/subscriptions/.+/workspaces/[^/]+)/models/(?P<name>{_PART})/versions/(?P<version>{_PART})",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Workspace(WorkspaceId):
    """A workspace, with the ids and Studio pages of its resources."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an ARM id in any case; raises PermanentError for any other id."""
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
                    f"'{name}:{version}' is not a valid {kind.removesuffix('s')} name and version: "
                    "use letters, digits, dots, dashes and underscores"
                )
        return f"{self.id}/{kind}/{name}/versions/{version}"

    def endpoint(self, name: str) -> str:
        """The ARM id of an online endpoint."""
        return f"{self.id}/onlineEndpoints/{name}"

    def run_link(self, run: str) -> str:
        """The Azure ML Studio page of a job or run."""
        return f"{STUDIO}/{run_page(run)}?wsid={quote(self.id)}"

    def model_link(self, name: str, version: str) -> str:
        """The Azure ML Studio page of a version of a registered model."""
        return f"{STUDIO}/{model_page(name, version)}?wsid={quote(self.id)}"

    def endpoint_link(self, endpoint: str) -> str:
        """The Azure ML Studio page of an online endpoint."""
        return f"{STUDIO}/{endpoint_page(endpoint)}?wsid={quote(self.id)}"


@dataclass(frozen=True, slots=True)
class ModelReference:
    """A version of a model; of the workspace that uses it, unless `registry` or `workspace` says where it is.

    `registry` is the name of a registry, `workspace` the ARM id of a workspace.
    """

    name: str
    version: str
    registry: str = ""
    workspace: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `name:version`, or the id of a model in a registry or a workspace.

        Raises PermanentError for another form.
        """
        if text.startswith(("azureml://", "azureml:/", "/")):
            if found := REGISTRY_MODEL.fullmatch(text) or WORKSPACE_MODEL.fullmatch(text):
                return cls(**found.groupdict())
        elif all((parts := text.rpartition(":"))[::2]):
            return cls(parts[0], parts[2])
        raise PermanentError(
            f"'{text}' has no model version: write name:version, or azureml://registries/R/models/M/versions/V"
        )

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"

    def make_id(self, workspace: Workspace) -> str:
        """The id by which a deployment in a workspace names it.

        Raises PermanentError for a model of another workspace.
        """
        if self.registry:
            return f"azureml://registries/{self.registry}/models/{self.name}/versions/{self.version}"
        if self.workspace and Workspace.parse(self.workspace).key != workspace.key:
            raise PermanentError(
                f"the model {self} is in the workspace {self.workspace}, and the deployment goes to "
                f"{workspace.id}: copy the model to a registry (share_model)"
            )
        return workspace.asset("models", self.name, self.version)


def check_name(text: str, kind: str) -> str:
    """The name of an endpoint, deployment or compute; raises PermanentError for an invalid name.

    A valid name is safe in a path and as a header's value.
    """
    if ENDPOINT_NAME.fullmatch(text):
        return text
    raise PermanentError(f"'{text}' is not a valid {kind} name: use letters, digits, dashes and underscores")


def same_asset(one: str, other: str) -> bool:
    """Whether two ARM ids name one asset: only its name and version are case-sensitive."""
    head, _, tail = one.rpartition("/versions/")
    other_head, _, other_tail = other.rpartition("/versions/")
    return tail == other_tail and _folded(head) == _folded(other_head)


def _folded(head: str) -> str:
    path, _, name = head.removeprefix("azureml:").rpartition("/")
    return f"{path.lower()}/{name}"


def name_and_version(reference: str) -> tuple[str, str, str]:
    """Split `name:version` or `name@label` into name, version and label; version or label is empty.

    A prefix `azureml:`, as in YAML, is allowed; raises PermanentError for another form.
    """
    text = reference.removeprefix("azureml:")
    name, colon, version = text.partition(":")
    if colon and ASSET_NAME.fullmatch(name) and ASSET_NAME.fullmatch(version):
        return name, version, ""
    name, at, label = text.partition("@")
    if at and ASSET_NAME.fullmatch(name) and ASSET_NAME.fullmatch(label):
        return name, "", label
    raise PermanentError(f"'{reference}' is not an asset reference: write name:version or name@latest")
