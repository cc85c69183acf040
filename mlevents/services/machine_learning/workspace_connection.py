"""Another workspace of Azure Machine Learning, in which a step acts: prod, for the events of dev.

```yaml
connections:
  prod:
    type: ml_workspace
    id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod
```
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from mlevents.errors import PermanentError
from mlevents.services.connection import Connection, SettingSource, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.machine_learning.workspace_client import open_workspace
from mlevents.workspace_id import WorkspaceId


@connection("ml_workspace")
class WorkspaceConnection(Connection):
    """A workspace, by its ARM id. Its events are not delivered here unless `workspaces` lists it too."""

    id: Annotated[str, AfterValidator(lambda text: WorkspaceId.parse(text).id)]
    """write the ARM id of the workspace: /subscriptions/…/workspaces/NAME; it may contain `${env.NAME}`."""

    @property
    def resource(self) -> str:
        """The workspace's ARM id."""
        return self.id

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Check that the workspace exists."""
        opened = open_workspace(self.id, services.settings.resource_manager)

        def read_region() -> str:
            region = opened.location()
            if region is None:
                raise PermanentError(f"the workspace {self.id} does not exist")
            return f"exists, in {region}"

        remedy = "correct `id`, or create the workspace"
        yield run_check(f"workspace '{opened.workspace.name}'", read_region, remedy)
