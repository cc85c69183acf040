"""The workspace's system topic, and the event subscriptions that the sandbox's Event Grid really has.

In the shape of https://learn.microsoft.com/azure/templates/microsoft.eventgrid/systemtopics/eventsubscriptions.
A subscription that asks for no event type is left out: a deployment makes none.
"""

from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from sandbox.azure.errors import ArmError
from sandbox.azure.rights.assignments import STORAGE_ID
from sandbox.azure.routes import Call, Routes
from sandbox.azure.scopes import Scopes
from sandbox.azure.workspace import (
    ML,
    SUBSCRIPTION_ID,
    WORKSPACE_PATH,
)
from sandbox.event_grid.delivery import Subscription
from sandbox.event_grid.retry_policy import RetryPolicy

HOME = f"{SUBSCRIPTION_ID}/resourceGroups/rg-mlevents/providers"
APP_ID = f"{HOME}/Microsoft.Web/sites/mlevents-sandbox"
DEAD_LETTERS = {
    "identity": {"type": "SystemAssigned"},
    "deadLetterDestination": {
        "endpointType": "StorageBlob",
        "properties": {"resourceId": STORAGE_ID, "blobContainerName": "dead-letters"},
    },
}
LISTS = (
    "/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics",
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.EventGrid/systemTopics/{topic}",
)


class EventSubscriptions:
    """Serves them; the sandbox sets `list_subscriptions`."""

    def __init__(self, location: str, scopes: Scopes) -> None:
        self.list_subscriptions: Callable[[], Iterable[Subscription]] = tuple
        self._scopes = scopes
        self._location = location

    def register(self, routes: Routes) -> None:
        """Serve the system topics, and the subscriptions made on the topic and on the workspace itself."""
        topics, topic = LISTS
        routes.add("GET", topics, self._topics)
        routes.add("GET", f"{topic}/eventSubscriptions", self._on_topic)
        routes.add("GET", f"{WORKSPACE_PATH}/providers/Microsoft.EventGrid/eventSubscriptions", self._none)

    async def _topics(self, call: Call) -> web.Response:
        start = f"/subscriptions/{call.names['subscription']}/".lower()
        topics = [self._topic(one) for one in self._list_workspaces() if one.lower().startswith(start)]
        return web.json_response({"value": topics})

    def _list_workspaces(self) -> list[str]:
        return [id for (_, _, kind, _), id in self._scopes.ids.items() if kind == "workspace"]

    def _topic(self, workspace: str) -> dict[str, Any]:
        return {
            "id": _topic_id(workspace),
            "name": _topic_id(workspace).rpartition("/")[2],
            "type": "Microsoft.EventGrid/systemTopics",
            "location": self._location,
            "tags": None,
            "properties": {
                "provisioningState": "Succeeded",
                "source": workspace,
                "topicType": f"{ML}.workspaces",
            },
        }

    async def _on_topic(self, call: Call) -> web.Response:
        path = call.request.path.lower()
        topics = (_topic_id(one) for one in self._list_workspaces())
        topic = next((one for one in topics if path.startswith(f"{one.lower()}/")), None)
        if topic is None:
            raise ArmError(404, "ResourceNotFound", f"There is no system topic '{call.names['topic']}'.")
        found = [one for one in self.list_subscriptions() if one.filter.get("includedEventTypes") != []]
        return web.json_response({"value": [_view(one, topic) for one in found]})

    async def _none(self, _: Call) -> web.Response:
        return web.json_response({"value": []})


def _topic_id(workspace: str) -> str:
    """The system topic of a workspace is in the same resource group."""
    group, _, name = workspace.partition("/providers/")
    return f"{group}/providers/Microsoft.EventGrid/systemTopics/{name.rpartition('/')[2]}-events"


def _view(one: Subscription, topic: str) -> dict[str, Any]:
    filters = one.filter
    return {
        "id": f"{topic}/eventSubscriptions/{one.name}",
        "name": one.name,
        "type": "Microsoft.EventGrid/systemTopics/eventSubscriptions",
        "properties": {
            "topic": topic.lower(),
            "provisioningState": "Succeeded",
            "labels": list(one.labels),
            "eventDeliverySchema": "EventGridSchema",
            "destination": _destination(one.endpoint.rpartition("functionName=")[2]),
            "filter": {
                "subjectBeginsWith": filters.get("subjectBeginsWith", ""),
                "subjectEndsWith": filters.get("subjectEndsWith", ""),
                "isSubjectCaseSensitive": False,
                "includedEventTypes": filters.get("includedEventTypes"),
                "advancedFilters": filters.get("advancedFilters", []),
            },
            "retryPolicy": _retry_policy(one.policy),
            "deadLetterWithResourceIdentity": DEAD_LETTERS if one.dead_letters else None,
        },
    }


def _destination(function: str) -> dict[str, Any]:
    return {
        "endpointType": "AzureFunction",
        "properties": {
            "resourceId": f"{APP_ID}/functions/{function}",
            "maxEventsPerBatch": 1,
            "preferredBatchSizeInKilobytes": 64,
        },
    }


def _retry_policy(policy: RetryPolicy) -> dict[str, int]:
    return {
        "maxDeliveryAttempts": policy.attempts,
        "eventTimeToLiveInMinutes": int(policy.seconds // 60),
    }
