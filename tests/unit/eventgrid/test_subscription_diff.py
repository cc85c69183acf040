"""Subscriptions are compared by what they ask for, not by how it is written."""

from dataclasses import replace
from typing import Any

import pytest

from mlevents.eventgrid.filter_clauses import AdvancedFilter
from mlevents.eventgrid.subscription_diff import compare_subscriptions, make_label
from mlevents.eventgrid.subscription_filters import SubscriptionFilter
from mlevents.services.event_subscription import EventSubscription
from mlevents.services.finding import Finding

APP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/mlevents-x"
TYPE = "Microsoft.MachineLearningServices.ModelRegistered"
FILTER = SubscriptionFilter(
    (TYPE,),
    "models/fraud-",
    (
        AdvancedFilter("StringIn", "data.modelTags.stage", ("production", "prod")),
        AdvancedFilter("NumberGreaterThan", "data.driftCoefficient", (0.5,)),
        AdvancedFilter("NumberInRange", "data.x", ((1, 2),)),
        AdvancedFilter("IsNotNull", "data.modelTags.accuracy"),
    ),
)
AZURE: dict[str, Any] = {
    "subjectBeginsWith": "Models/fraud-",
    "subjectEndsWith": "",
    "isSubjectCaseSensitive": None,
    "includedEventTypes": [TYPE.lower()],
    "enableAdvancedFilteringOnArrays": True,
    "advancedFilters": [
        {"operatorType": "IsNotNull", "key": "data.modelTags.accuracy"},
        {"operatorType": "NumberInRange", "key": "data.x", "values": [[1.0, 2.0]]},
        {"operatorType": "NumberGreaterThan", "key": "data.driftCoefficient", "value": 0.5},
        {"operatorType": "StringIn", "key": "Data.ModelTags.stage", "values": ["prod", "Production"]},
    ],
}
WANTED = {"ModelRegistered": FILTER, "RunCompleted": SubscriptionFilter()}
OURS = EventSubscription("mlevents-x-ModelRegistered", "Succeeded", APP, "ModelRegistered", AZURE, True)


def found(*there: EventSubscription, app: str = "") -> list[Finding]:
    return list(compare_subscriptions(WANTED, there, app))


def test_the_same_filter_is_the_same_however_azure_writes_it():
    (one,) = found(OURS)
    assert (one.about, one.ok) == ("ModelRegistered", True)
    assert make_label(AZURE) == make_label(FILTER.to_json())


@pytest.mark.parametrize(
    "change",
    [
        {"subjectEndsWith": ":1"},
        {"isSubjectCaseSensitive": True},
        {"subjectBeginsWith": ""},
        {"advancedFilters": AZURE["advancedFilters"][:3]},
        {"includedEventTypes": None},
    ],
)
def test_any_other_filter_is_another(change: dict[str, Any]):
    (one,) = found(replace(OURS, filter=AZURE | change))
    assert one.ok is False
    assert "its filter comes from older rules, or was edited: it " in one.said


def test_a_label_tells_older_rules_from_an_edit():
    other = AZURE | {"subjectBeginsWith": "models/"}
    (stale,) = found(replace(OURS, filter=other, labels=("ours", make_label(other))))
    (edited,) = found(replace(OURS, filter=other, labels=(make_label(AZURE),)))
    assert "its filter comes from older rules: it lacks a subject" in stale.said
    assert "its filter was edited after it was deployed: it lacks a subject" in edited.said


def test_what_is_not_ready_or_keeps_no_dead_letters_is_said_both():
    faults = found(replace(OURS, state="Failed", dead_letters=False))
    assert [one.said.partition(": ")[2] for one in faults] == [
        "is Failed",
        "has no dead-letter destination: events that cannot be delivered are lost",
    ]


def test_other_destinations_are_nobodys_business():
    elsewhere = EventSubscription("stream", "Succeeded", filter=AZURE)
    assert [one.said for one in found(elsewhere)] == ["has no event subscription"]
    assert [one.ok for one in found(elsewhere, OURS)] == [True]


def test_of_several_apps_one_must_be_named():
    other = replace(OURS, name="mlevents-y-ModelRegistered", app=APP.replace("-x", "-y"))
    (one,) = found(OURS, other)
    assert (one.ok, one.remedy) == (None, "name yours with --function-app")
    assert [one.ok for one in found(OURS, other, app=APP)] == [True]


def test_a_subscription_is_read_in_each_of_azures_shapes():
    destination = {
        "endpointType": "AzureFunction",
        "properties": {"resourceId": f"{APP}/functions/ModelRegistered"},
    }
    plain = {
        "name": "s",
        "properties": {
            "provisioningState": "Succeeded",
            "destination": destination,
            "deadLetterDestination": {"endpointType": "StorageBlob"},
            "filter": AZURE,
            "labels": None,
        },
    }
    by_identity = {
        "name": "s",
        "properties": {
            "provisioningState": "Succeeded",
            "destination": None,
            "deliveryWithResourceIdentity": {"destination": destination},
            "deadLetterWithResourceIdentity": {"deadLetterDestination": {"endpointType": "StorageBlob"}},
            "filter": AZURE,
        },
    }
    wanted = EventSubscription("s", "Succeeded", APP, "ModelRegistered", AZURE, True)
    assert EventSubscription.read(plain) == EventSubscription.read(by_identity) == wanted
    hook = {"name": "h", "properties": {"destination": {"endpointType": "WebHook", "properties": {}}}}
    assert EventSubscription.read(hook) == EventSubscription("h", "")
