"""The ARM id of an Azure ML workspace, parsed in one place: what `check` accepts, the app can use."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from mlevents.canonical import fold

WORKSPACE_ID_FORM = (
    "/subscriptions/<id>/resourceGroups/<name>/providers/Microsoft.MachineLearningServices/workspaces/<name>"
)

# Names of resource groups may hold letters of every script and do not end with a period, so that none of
# them is a step of a path (learn.microsoft.com, "Naming rules").
_PATTERN = re.compile(
    r"/subscriptions/(?P<subscription>[-\w]{1,64})/resourceGroups/(?P<group>(?u:[-\w.()]{0,89}[-\w()]))"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/(?P<name>[-\w]{1,64})/?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class WorkspaceId:
    """The parts of a workspace's ARM id, in the case in which they were written."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The parts of an ARM id, whatever its case, with or without a slash at its end.

        Raises ValueError for any other text.
        """
        found = _PATTERN.fullmatch(text)
        if found is None:
            raise ValueError(f"'{text}' is not a workspace id: write {WORKSPACE_ID_FORM}")
        return cls(**found.groupdict())

    @property
    def id(self) -> str:
        """The ARM id, cased as Azure documents it."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )

    @property
    def key(self) -> str:
        """What two ids of one workspace have in common."""
        return fold(self.id)


@lru_cache(maxsize=32)  # each event is compared with the few workspaces of the rule file
def parse_workspace_key(text: str) -> str | None:
    """What two ids of one workspace have in common; None for a text that is not a workspace's id."""
    try:
        return WorkspaceId.parse(text).key
    except ValueError:
        return None
