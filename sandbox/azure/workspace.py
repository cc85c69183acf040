"""The workspace and the factory that exist in the sandbox."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.azure.identity import APP, OWNER, OWNER_NAME, PRINCIPAL, TENANT
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
REGISTRY_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{ML}/registries/{{registry}}"
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


def make_guid(id: str) -> str:
    """The GUID of the workspace with this ARM id."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, id))


class Workspace:
    """What every part of a workspace shares: its id, its place, its clock and its events."""

    def __init__(
        self, pace: Pace, publish: Callable[[dict[str, Any]], None], location: str, id: str = WORKSPACE_ID
    ) -> None:
        self.id = id
        self.name = id.rpartition("/")[2]
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
        self, known: dict[str, Any] | None = None, made: datetime | None = None, who: str = APP
    ) -> dict[str, str]:
        """Who made a resource and when; `known` is the resource as it was, whose first entries stay.

        `made` is when, if not now; `who` is `app` or `owner`: Azure names an application by its object id,
        and a person by the display name.
        """
        now = (made or self.pace.now()).isoformat()
        name, kind = (OWNER_NAME, "User") if who == OWNER else (PRINCIPAL, "Application")
        first = {"createdAt": now, "createdBy": name, "createdByType": kind}
        kept = {key: known["systemData"][key] for key in first} if known else first
        return {**kept, "lastModifiedAt": now, "lastModifiedBy": name, "lastModifiedByType": kind}

    def identity(self, asked: dict[str, Any] | None, principal: str) -> dict[str, Any]:
        """A resource's identity, with what Azure fills in."""
        kind = (asked or {}).get("type", "SystemAssigned")
        return {**(asked or {}), "type": kind, "principalId": principal, "tenantId": TENANT}

    def resource(self, call: Call) -> dict[str, Any]:
        """The workspace itself."""
        return {
            "id": self.id,
            "name": self.name,
            "type": f"{ML}/workspaces",
            "location": self.location,
            "tags": {},
            "kind": "Default",
            "sku": {"name": "Basic", "tier": "Basic"},
            "identity": self.identity(None, PRINCIPAL),
            "properties": {
                "friendlyName": self.name,
                "description": "",
                **DEPENDENCIES,
                "provisioningState": "Succeeded",
                "publicNetworkAccess": "Enabled",
                "discoveryUrl": f"{call.origin}/discovery",
                "mlFlowTrackingUri": f"azureml://{self.location}.api.azureml.ms/mlflow/v1.0{self.id}",
                "tenantId": TENANT,
                "workspaceId": make_guid(self.id),
            },
            "systemData": {"createdAt": self._created, "createdByType": "User"},
        }
