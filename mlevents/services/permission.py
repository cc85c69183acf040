"""The rights in Azure that actions and connections need, and the rights that an identity has.

Names of actions compare without case, and a `*` in a role matches any text: `X/*/read` covers `X/Y/read` and
`X/Y/Z/read`, but not `X/read`.
https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

ANYTHING = "*"


@dataclass(frozen=True, slots=True)
class Role:
    """A built-in role of Azure."""

    name: str
    id: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


DATA_SCIENTIST = Role("AzureML Data Scientist", "f6c7c914-8db3-469d-8ca1-694a8f32e121")
DATA_FACTORY_CONTRIBUTOR = Role("Data Factory Contributor", "673868aa-7521-48a0-acc6-0f60742d39f5")
MAIL_OWNER = Role("Communication and Email Service Owner", "09976791-48a7-449e-bb21-39d1a415f350")
EVENT_HUBS_SENDER = Role("Azure Event Hubs Data Sender", "2b629674-e913-4c01-ae53-ef4638d8f975")
SERVICE_BUS_SENDER = Role("Azure Service Bus Data Sender", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39")
EVENT_GRID_SENDER = Role("EventGrid Data Sender", "d5a91429-5739-47e2-a06b-3470a27159e7")
REGISTRY_USER = Role("AzureML Registry User", "1823dd4f-9b8c-4ab6-ab4e-7397a3684615")
STORAGE_QUEUE_SENDER = Role("Storage Queue Data Message Sender", "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a")
MONITORING_READER = Role("Monitoring Reader", "43d0d8ad-25c7-4714-9337-8ba259a9fe05")

READER = Role("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7")
COMPUTE_OPERATOR = Role("AzureML Compute Operator", "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815")
IDENTITY_OPERATOR = Role("Managed Identity Operator", "f1a07417-d97a-45cb-824c-7a7467783830")

WORKSPACE_SCOPE = "workspace"
IDENTITY_SCOPE = "identity"
ML = "Microsoft.MachineLearningServices/workspaces"


@dataclass(frozen=True, slots=True)
class Permission:
    """Azure actions that an element performs on one kind of resource, and a role that allows them all.

    `scope` is `workspace`, `identity` for the user-assigned identities that a parameter lists, or the type
    of the connection whose resource it is. `given` names parameters, as `rollout` or `rollout.smoke_test`:
    the actions are needed only by a step that has one of them. An element that needs data actions names only
    the role: data actions are not checked. `connection` is the parameter that may name the connection of
    another workspace, which is then the resource instead of the workspaces of the events.
    """

    scope: str
    role: Role
    actions: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    connection: str = ""

    def needed(self, parameters: Mapping[str, Any]) -> bool:
        """Whether a step with these parameters needs it."""
        return not self.given or any(_at(parameters, name.split(".")) for name in self.given)


def _at(value: Any, keys: list[str]) -> bool:
    """Whether these keys lead to a value other than an empty list or map."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value is not None and value not in ([], {})


def actions_below(head: str, *tails: str) -> tuple[str, ...]:
    """The actions `head/tail`."""
    return tuple(f"{head}/{tail}" for tail in tails)


MODEL_READS = actions_below(ML, "models/read", "models/versions/read")
"""What reads a registered model."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one role assignment allows: `actions` without `not_actions`, which limit only this grant."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    @classmethod
    def read(cls, permission: Mapping[str, Any]) -> Self:
        """From Resource Manager's answer."""
        return cls(tuple(permission.get("actions") or ()), tuple(permission.get("notActions") or ()))

    def allows(self, action: str) -> bool:
        """Whether it allows the action; an action with a `*` must be allowed completely."""
        wholly = any(_pattern(granted).fullmatch(action) for granted in self.actions)
        return wholly and not any(
            patterns_overlap(denied.lower(), action.lower()) for denied in self.not_actions
        )


def is_allowed(grants: Iterable[Grant], action: str) -> bool:
    """Whether one of the grants allows the action."""
    return any(grant.allows(action) for grant in grants)


@cache
def _pattern(granted: str) -> re.Pattern[str]:
    text = re.escape(granted).replace(r"\*", ".*")
    return re.compile(text, re.IGNORECASE | re.DOTALL)


@cache
def patterns_overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which `*` matches any text."""
    if not one or not other:
        return not (one or other).strip(ANYTHING)
    if one[0] == ANYTHING:
        return patterns_overlap(one[1:], other) or patterns_overlap(one, other[1:])
    if other[0] == ANYTHING:
        return patterns_overlap(other, one)
    return one[0] == other[0] and patterns_overlap(one[1:], other[1:])
