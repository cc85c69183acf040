"""A project of Azure DevOps Services, or of Azure DevOps Server.

```yaml
connections:
  ml-pipelines:
    type: azure_devops
    organization: example                # reached with the app's identity
    project: ml-platform
  ml-pipelines-by-token:
    type: azure_devops
    organization: https://devops.example.com/DefaultCollection   # Azure DevOps Server
    project: ml-platform
    token: {setting: DEVOPS_PAT}         # a personal access token
```
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field

from mlevents.errors import PermanentError
from mlevents.services.azure_devops.project import Project
from mlevents.services.azure_devops.work_items import Boards
from mlevents.services.connection import Connection, SettingName, SettingSource, Text, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.http.connection import get_token, read_base
from mlevents.services.http.http_client import HttpClient

ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,49}", re.ASCII)
DEVOPS_AUDIENCE = "499b84ac-1321-427f-aa17-267ca6975798"
"""Azure DevOps' application in Entra.
https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity"""
DEVOPS_SERVICES = "https://dev.azure.com"


def _organization(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str):
        read_organization(value, allow_private=True)
    return value


@connection("azure_devops")
class AzureDevOps(Connection):
    """A project whose pipelines and work items actions use, with the app's identity or by a token."""

    model_config = ConfigDict(hide_input_in_errors=True)
    synonyms: ClassVar[tuple[str, ...]] = ("devops", "ado", "azure_pipelines", "azure_boards")
    example: ClassVar[str] = "`{type: azure_devops, organization: NAME, project: NAME}`"

    item_options: ClassVar[tuple[str, ...]] = ("type", "fields")

    organization: Annotated[Text, AfterValidator(_organization)]
    """write the name of the organization, or the address of a collection of Azure DevOps Server."""
    project: Text
    """name the project."""
    token: Annotated[SettingName | None, Field(repr=False)] = None
    """The app setting that holds a personal access token; without it, the app's identity is used."""
    allow_private: bool = False
    """Allows private addresses, and `http://`, for an Azure DevOps Server in your own network."""

    def open(self, services: SettingSource) -> Project:
        """The project; raises ConfigError for a setting that is not set, PermanentError for a wrong one."""
        try:
            base = read_organization(services.text(self.organization), allow_private=self.allow_private)
        except ValueError as error:
            raise PermanentError(self._describe_fault(error)) from None
        client = HttpClient(self.allow_private, services.settings.environment.get("REQUESTS_CA_BUNDLE"))
        return Project(base, services.text(self.project), client, self._authorize(services))

    def open_tracker(self, services: SettingSource) -> Boards:
        """The work items of the project."""
        return Boards(self.open(services))

    def _describe_fault(self, error: ValueError) -> str:
        if isinstance(self.organization, SettingName):
            return f"the app setting '{self.organization.setting}' is not an organization of Azure DevOps"
        return str(error)

    def _authorize(self, services: SettingSource) -> str:
        """The header that proves who calls."""
        if self.token is None:
            return f"Bearer {get_token(DEVOPS_AUDIENCE)}"
        return f"Basic {b64encode(f':{services.text(self.token).strip()}'.encode()).decode()}"

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Read the project."""

        def is_visible() -> str:
            return f"exists, {self.open(services).read_state()}"

        about = f"project {self.project if isinstance(self.project, str) else self.project.setting}"
        yield run_check(about, is_visible, "correct the connection, or give the identity or token access")


def read_organization(text: str, *, allow_private: bool) -> str:
    """The address of an organization or collection; raises ValueError for one that cannot be called."""
    if ORGANIZATION.fullmatch(text):
        return f"{DEVOPS_SERVICES}/{text}"
    if "://" not in text:
        raise ValueError(f"'{text}' is not an organization: write its name, or https://SERVER/COLLECTION")
    return read_base(text, "`organization`", allow_private=allow_private)
