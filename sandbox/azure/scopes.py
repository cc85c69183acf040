"""The workspaces, factories and registries of the sandbox, and what Azure says about a path to any other."""

from collections.abc import Mapping

from sandbox.azure.errors import ArmError
from sandbox.azure.workspace import FACTORY_GROUP, FACTORY_ID, WORKSPACE_GROUP, WORKSPACE_ID

KINDS = {
    "workspace": "Microsoft.MachineLearningServices/workspaces",
    "factory": "Microsoft.DataFactory/factories",
    "registry": "Microsoft.MachineLearningServices/registries",
}
Key = tuple[str, str, str, str]


class Scopes:
    """What exists, by subscription, resource group, kind and name; all compare without case."""

    def __init__(self) -> None:
        self.ids: dict[Key, str] = {}
        self._groups: dict[str, set[str]] = {}
        self.add(WORKSPACE_ID)
        self.add(FACTORY_ID)

    def add(self, resource: str) -> Key:
        """Add a workspace, factory or registry by its ARM id, and its group and subscription."""
        _, _, subscription, _, group, _, _, kind, name = resource.lower().split("/")
        groups = self._groups.setdefault(subscription, {WORKSPACE_GROUP, FACTORY_GROUP})
        groups.add(group)
        key = (subscription, group, next(one for one in KINDS if KINDS[one].lower().endswith(kind)), name)
        self.ids.setdefault(key, resource)
        return key

    def find_key(self, names: Mapping[str, str]) -> Key | None:
        """The key of the workspace, factory or registry that a path names; None if it names none."""
        kind = next((kind for kind in KINDS if kind in names), None)
        parts = (names.get("subscription", ""), names.get("group", ""), kind or "", names.get(kind or "", ""))
        subscription, group, kind_, name = (part.lower() for part in parts)
        return (subscription, group, kind_, name) if kind else None

    def has_subscription(self, scope: str) -> bool:
        """Whether a scope is a known subscription, or below one."""
        parts = scope.lower().split("/")
        return parts[:2] == ["", "subscriptions"] and "".join(parts[2:3]) in self._groups

    def check_subscription(self, names: Mapping[str, str]) -> None:
        """Refuse a path in another subscription; checked before rights, which nobody has there."""
        subscription = names.get("subscription")
        if subscription is not None and subscription.lower() not in self._groups:
            text = f"The subscription '{subscription}' could not be found."
            raise ArmError(404, "SubscriptionNotFound", text)

    def check_scope(self, names: Mapping[str, str]) -> None:
        """Refuse a path that leads to another group, workspace or factory."""
        key = self.find_key(names)
        if key is None or key in self.ids:
            return
        group, name = names["group"], names[key[2]]
        if group.lower() not in self._groups[key[0]]:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
        raise ArmError(
            404,
            "ResourceNotFound",
            f"The Resource '{KINDS[key[2]]}/{name}' under resource group '{group}' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        )
