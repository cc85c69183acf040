"""An Event Grid subscription in Azure.

https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/list-by-resource
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

FUNCTION = "azurefunction"
READY = "succeeded"


@dataclass(frozen=True, slots=True)
class EventSubscription:
    """`app` and `function` are empty when it delivers elsewhere; `filter` is as Azure sends it."""

    name: str
    state: str
    app: str = ""
    function: str = ""
    filter: Mapping[str, Any] = field(default_factory=dict)
    dead_letters: bool = False
    labels: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether it delivers: its last change succeeded."""
        return self.state.lower() == READY

    @classmethod
    def read(cls, resource: Mapping[str, Any]) -> Self:
        """From the resource as ARM sends it."""
        properties = resource.get("properties") or {}
        inner = properties.get("deliveryWithResourceIdentity") or {}
        app, function = _function(properties.get("destination") or inner.get("destination") or {})
        places = ("deadLetterDestination", "deadLetterWithResourceIdentity")
        return cls(
            name=str(resource.get("name")),
            state=properties.get("provisioningState") or "",
            app=app,
            function=function,
            filter=properties.get("filter") or {},
            dead_letters=any(properties.get(place) for place in places),
            labels=tuple(properties.get("labels") or ()),
        )


def _function(destination: Mapping[str, Any]) -> tuple[str, str]:
    """The id of the function app and the name of the function."""
    if str(destination.get("endpointType")).lower() != FUNCTION:
        return "", ""
    app, _, function = str((destination.get("properties") or {}).get("resourceId") or "").rpartition("/")
    return app.rpartition("/")[0], function
