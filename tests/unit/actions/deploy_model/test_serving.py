"""What serves at an endpoint now, as the gates compare with it."""

from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.actions.deploy_model.serving import order_tags
from mlevents.orchestration.waiting_order import WaitingOrder
from tests.unit.actions.deploy_model.fake_workspace import TOPIC
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.rollouts import context


def standing(at: World, tags: bool = True) -> Done:
    step = DeployModel(template="small.yaml", endpoint="net")
    done = step.report_serving(replace(context("net", "1"), progress={"model_tags": tags}), at)  # type: ignore[arg-type]
    assert isinstance(done, Done)
    return done


def serves(at: World, tags: bool = True) -> list[dict[str, Any]]:
    return list(standing(at, tags).result["serving"])


@pytest.mark.parametrize(
    ("traffic", "first"),
    [
        ({"net-1": 30, "net-2": 70}, [("net-2", 70), ("net-1", 30)]),
        ({"net-2": 50, "net-1": 50}, [("net-1", 50), ("net-2", 50)]),
        ({"net-1": 100, "net-2": 0}, [("net-1", 100)]),
        ({"net-1": 0, "net-2": 0}, []),
    ],
    ids=["most traffic", "by name", "one alone", "none"],
)
def test_the_deployment_with_most_traffic_comes_first(traffic: dict, first: list) -> None:
    assert [(one["deployment"], one["percent"]) for one in serves(serving(traffic))] == first


def test_what_serves_reads_as_people_say_it() -> None:
    assert standing(serving({"a": 30, "b": 70})).detail == "endpoint 'net' serves net:2, net:1"
    assert standing(serving({"a": 0})).detail == "endpoint 'net' serves nothing"


def test_an_endpoint_that_does_not_exist_serves_nothing() -> None:
    assert standing(World()).detail == "endpoint 'net' serves nothing"


@pytest.mark.parametrize(
    ("model", "name", "version", "tags"),
    [
        (f"{TOPIC}/models/net/versions/1", "net", "1", {"accuracy": "0.9"}),
        (f"{TOPIC.upper()}/Models/net/Versions/1", "net", "1", {"accuracy": "0.9"}),
        (f"{TOPIC}/models/net/versions/2", "net", "2", {}),
        ("azureml://registries/shared/models/net/versions/1", "net", "1", {}),
        (f"{TOPIC}/models/net", f"{TOPIC}/models/net", "", {}),
        ("", "", "", {}),
    ],
    ids=["ours", "in any casing", "without tags", "of a registry", "no version", "no model"],
)
def test_a_model_of_the_workspace_has_its_tags(model: str, name: str, version: str, tags: dict) -> None:
    at = serving({"blue": 100}, model_tags_of={"net:1": {"accuracy": "0.9"}})
    at.placed["blue"].state = replace(at.placed["blue"].state, model=model)
    [one] = serves(at)
    assert (one["model"], one["version"], one["tags"]) == (name, version, tags)
    assert (one["key"], one["by"]) == (name, version)
    assert serves(at, tags=False)[0]["tags"] == {}


def test_what_the_gate_order_compared_by_goes_before_the_models_name() -> None:
    at = serving({"blue": 100})
    tags = order_tags(WaitingOrder("net-eu", "2026-01"))
    at.placed["blue"].state = replace(at.placed["blue"].state, tags=tags)
    assert [(one["key"], one["by"], one["version"]) for one in serves(at)] == [("net-eu", "2026-01", "1")]


def test_tags_are_no_longer_than_azure_takes_them() -> None:
    assert {len(value) for value in order_tags(WaitingOrder("k" * 256, "1" * 257)).values()} == {256}
    assert order_tags(None) == {}
