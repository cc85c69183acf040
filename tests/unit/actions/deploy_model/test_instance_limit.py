"""Old and new deployments of an endpoint together never have more instances than the limit."""

import json
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.deploy_model.instance_limit import count_instances
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.errors import PermanentError
from mlevents.services.machine_learning.states import DeploymentState, NewDeployment
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import Placed, World, serving
from tests.unit.actions.deploy_model.test_rollout import canary
from tests.unit.actions.deploy_model.test_rollout_exhaustive import call

TEMPLATE = "instance_type: Standard_DS3_v2\ninstance_count: {}\n"


def rolled_out(at: World, most: int, count: int = 2, rollout: dict[str, Any] | None = None) -> dict[str, Any]:
    at.files["small.yaml"] = TEMPLATE.format(count)
    text = json.loads(call(rollout or canary()))
    text["step"]["with"]["limits"] = {"instances": most}
    answer: dict[str, Any] = json.loads(Durable(at).run(roll_out_model, json.dumps(text)))
    at.advance(600.0)
    return answer


def with_instances(at: World, **counts: int) -> World:
    for key, count in counts.items():
        name = key.replace("_", "-")
        known = at.placed.get(name) or Placed(DeploymentState(name, "Succeeded", "/models/x/versions/1"))
        at.placed[name] = known
        known.state = replace(known.state, instances=count)
    return at


def test_what_fits_is_deployed_and_nothing_else_changes():
    at = with_instances(serving({"net-1": 100}), net_1=2)
    assert rolled_out(at, 4)["kind"] == "done"
    assert set(at.placed) == {"net-1", "net-9"}


def test_too_many_are_refused_before_anything_changes_with_the_figures():
    at = with_instances(serving({"net-1": 100}), net_1=2, hand=3)
    answer = rolled_out(at, 6)
    assert answer["kind"] == "failed"
    assert (
        "endpoint 'net' has 5 instances (hand 3, net-1 2), and 'net-9' needs 2: 7 in all, more than "
        "limits.instances 6: raise the limit" in answer["detail"]
    )
    assert at.writes == []


def test_a_new_endpoint_is_not_created_for_a_deployment_that_is_too_large():
    at = World()
    answer = rolled_out(at, 2, count=3)
    assert "endpoint 'net' has 0 instances (no deployment), and 'net-9' needs 3" in answer["detail"]
    assert at.writes == []


def test_old_deployments_beyond_keep_make_room_first(monkeypatch: pytest.MonkeyPatch):
    beside: list[int] = []
    put = World.put_deployment

    def put_counted(at: World, wanted: NewDeployment) -> None:
        beside.append(sum(one.state.instances for one in at.placed.values()))
        put(at, wanted)

    monkeypatch.setattr(World, "put_deployment", put_counted)
    at = with_instances(serving({"net-1": 0, "net-2": 0, "net-3": 100}), net_1=2, net_2=2, net_3=2)
    answer = rolled_out(at, 6)
    assert answer["kind"] == "done"
    assert at.writes[0] == "delete deployment net-1"
    assert beside == [4], "the old one is gone completely when the new one is created"
    assert set(at.placed) == {"net-3", "net-9"}


@pytest.mark.parametrize(
    ("rollout", "kind"), [(canary(keep=3), "failed"), (canary(keep=2), "failed"), (canary(keep=1), "done")]
)
def test_what_the_rollout_keeps_makes_no_room(rollout: dict[str, Any], kind: str):
    at = with_instances(serving({"net-1": 0, "net-2": 100}), net_1=2, net_2=2)
    assert rolled_out(at, 4, rollout=rollout)["kind"] == kind
    assert ("net-1" in at.placed) == (kind == "failed")


def test_nothing_with_traffic_and_nothing_of_others_is_deleted():
    at = with_instances(serving({"net-1": 50, "net-2": 50}), net_1=2, net_2=2, hand=2)
    assert rolled_out(at, 6, rollout=canary(keep=0))["kind"] == "failed"
    assert at.writes == []


def test_a_deployment_that_is_there_already_needs_no_room():
    at = with_instances(serving({"net-1": 100}), net_1=2)
    assert rolled_out(at, 4)["kind"] == "done"
    assert rolled_out(at, 1)["kind"] == "done"


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({}, 1),
        ({"instance_count": 3}, 3),
        ({"instance_count": "3"}, 3),
        ({"instance_count": 2, "scale_settings": {"type": "target_utilization", "max_instances": 7}}, 7),
        ({"scale_settings": {"type": "default"}}, 1),
    ],
)
def test_the_most_instances_of_a_template_count(document: dict[str, Any], count: int):
    assert count_instances(document) == count


def test_a_count_that_is_no_number_is_refused():
    with pytest.raises(PermanentError, match="instance_count is 'many': write a whole number"):
        count_instances({"instance_count": "many"})


def test_instances_are_read_from_resource_manager():
    resource = {"name": "blue", "properties": {"provisioningState": "Succeeded"}, "sku": {"capacity": 3}}
    assert DeploymentState.read(resource).instances == 3
    resource["properties"] = {"scaleSettings": {"scaleType": "TargetUtilization", "maxInstances": 5}}
    assert DeploymentState.read(resource).instances == 5
    assert DeploymentState.read({"name": "old"}).instances == 1
