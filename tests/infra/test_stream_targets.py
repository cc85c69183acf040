"""The list of what the app may send to: a deployment says what is missing in it."""

import pytest

from infra.hooks.stream_targets import PROVIDERS, find_missing_targets
from mlevents.services.connection import connection
from mlevents.services.streams.stream import Stream

GROUP = "/subscriptions/s/resourceGroups/g/providers"


def test_every_type_of_connection_that_takes_events_has_its_provider():
    assert set(PROVIDERS) == {name for name, kind in connection.items() if issubclass(kind, Stream)}


@pytest.mark.parametrize(
    "id", ["Microsoft.ServiceBus/namespaces/n/queues/q", "microsoft.servicebus/namespaces/n"]
)
def test_a_listed_provider_is_enough(id: str):
    assert list(find_missing_targets({"service_bus": ["a"]}, [f"{GROUP}/{id}"])) == []


def test_what_is_missing_is_named_with_its_rules():
    users = {"service_bus": ["a", "b"], "event_hub": [], "email": ["c"]}
    [said] = find_missing_targets(users, [f"{GROUP}/Microsoft.EventHub/namespaces/n/eventhubs/h"])
    assert said.startswith("a, b: sends by a connection of type service_bus, and infra/targets.json has no ")
    assert "Microsoft.ServiceBus: add the resource id" in said
