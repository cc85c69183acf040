"""The workspace and the factory that exist in the sandbox."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.azure.identity import PRINCIPAL, TENANT
from sandbox.azure.routes import Call
from sandbox.pace import Pace

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
SUBSCRIPTION_ID = f"/subscriptions/{SUBSCRIPTION}"
WORKSPACE = "ml-prod"
WORKSPACE_GROUP = "rg-ml"
FACTORY = "adf-retrain"
FACTORY_GROUP = "rg-data"
ML = "Microsoft.MachineLearningServices"
WORKSPACE_ID = f"{SUBSCRIPTION_ID}/resourceGroups/{WORKSPACE_GROUP}/providers/{ML}/workspaces/{WORKSPACE}"
FACTORY_ID = (
    f"{SUBSCRIPTION_ID}/resourceGroups/{FACTORY_GROUP}/providers/Microsoft.DataFactory/factories/{FACTORY}"
)
WORKSPACE_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{ML}/workspaces/{{workspace}}"
)
FACTORY_PATH = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.DataFactory/factories/{factory}"
)

GROUP_ID = f"{SUBSCRIPTION_ID}/resourceGroups/{WORKSPACE_GROUP}/providers"
DEPENDENCIES = {
    "storageAccount": f"{GROUP_ID}/Microsoft.Storage/storageAccounts/stmlprod",
    "keyVault": f"{GROUP_ID}/Microsoft.KeyVault/vaults/kv-ml-prod",
    "applicationInsights": f"{GROUP_ID}/Microsoft.Insights/components/appi-ml-prod",
    "containerRegistry": None,
    "managedNetwork": {"isolationMode": "Disabled"},
    "hbiWorkspace": False,
    "v1LegacyMode": False,
}


class Workspace:
    """What every part of the workspace shares: its id, its place, its clock and its events."""

    def __init__(self, pace: Pace, publish: Callable[[dict[str, Any]], None], location: str) -> None:
        self.id = WORKSPACE_ID
        self.pace = pace
        self.location = location
        self._publish = publish
        self._created = pace.now().isoformat()

    def publish_event(self, kind: str, subject: str, content: dict[str, Any]) -> None:
        """Publish an event of the workspace, in Event Grid's own schema."""
        now = self.pace.now()
        self._publish(
            {
                "id": str(uuid.uuid4()),
                "topic": self.id,
                "subject": subject,
                "eventType": f"{ML}.{kind}",
                "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z",
                "data": content,
                "dataVersion": "2",
                "metadataVersion": "1",
            }
        )

    def system_data(
        self, known: dict[str, Any] | None = None, made: datetime | None = None
    ) -> dict[str, str]:
        """Who made a resource and when; `known` is the resource as it was, whose first time stays.

        `made` is when, if not now.
        """
        now = (made or self.pace.now()).isoformat()
        return {
            "createdAt": known["systemData"]["createdAt"] if known else now,
            "createdBy": PRINCIPAL,
            "createdByType": "Application",
            "lastModifiedAt": now,
            "lastModifiedBy": PRINCIPAL,
            "lastModifiedByType": "Application",
        }

    def identity(self, asked: dict[str, Any] | None, principal: str) -> dict[str, Any]:
        """A resource's identity, with what Azure fills in."""
        kind = (asked or {}).get("type", "SystemAssigned")
        return {**(asked or {}), "type": kind, "principalId": principal, "tenantId": TENANT}

    def resource(self, call: Call) -> dict[str, Any]:
        """The workspace itself."""
        return {
            "id": self.id,
            "name": WORKSPACE,
            "type": f"{ML}/workspaces",
            "location": self.location,
            "tags": {},
            "kind": "Default",
            "sku": {"name": "Basic", "tier": "Basic"},
            "identity": self.identity(None, PRINCIPAL),
            "properties": {
                "friendlyName": WORKSPACE,
                "description": "",
                **DEPENDENCIES,
                "provisioningState": "Succeeded",
                "publicNetworkAccess": "Enabled",
                "discoveryUrl": f"{call.origin}/discovery",
                "mlFlowTrackingUri": f"azureml://{self.location}.api.azureml.ms/mlflow/v1.0{self.id}",
                "tenantId": TENANT,
                "workspaceId": str(uuid.uuid5(uuid.NAMESPACE_URL, self.id)),
            },
            "systemData": {"createdAt": self._created, "createdByType": "User"},
        }


def check_scope(names: dict[str, str]) -> None:
    """Refuse a path that leads to another group, workspace or factory."""
    if "workspace" in names:
        _scope(names, "workspace", f"{ML}/workspaces", (WORKSPACE_GROUP, WORKSPACE))
    elif "factory" in names:
        _scope(names, "factory", "Microsoft.DataFactory/factories", (FACTORY_GROUP, FACTORY))


def check_subscription(names: dict[str, str]) -> None:
    """Refuse a path in another subscription; checked before rights, which nobody has there."""
    subscription = names.get("subscription", SUBSCRIPTION)
    if subscription.lower() != SUBSCRIPTION:
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def _scope(names: dict[str, str], part: str, kind: str, wanted: tuple[str, str]) -> None:
    group, name = names["group"], names[part]
    if group.lower() not in (WORKSPACE_GROUP, FACTORY_GROUP):
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")
    if (group.lower(), name.lower()) != wanted:
        raise ArmError(
            404,
            "ResourceNotFound",
            f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        )
