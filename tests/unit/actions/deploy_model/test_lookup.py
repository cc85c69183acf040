"""Azure's answers may be wrong for a moment: nothing is created over, or believed to be gone, for one 404."""

import json
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.actions.deploy_model.creation import LOOKS_BEFORE_PUT
from mlevents.actions.deploy_model.lookup import (
    LOOKS_UNTIL_ABSENT,
    find_deployment,
    find_endpoint,
    list_deployments,
)
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.errors import TransientError
from mlevents.services.machine_learning.states import DeploymentState, EndpointState
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import Placed, Trouble, World, serving
from tests.unit.actions.deploy_model.rollouts import context
from tests.unit.actions.deploy_model.test_rollout import at_traffic, traffic
from tests.unit.actions.deploy_model.test_rollout_exhaustive import OLD, PASSING, call

AHEAD = 1
"""How often the endpoint is looked for before its lease is held."""


def carried(at: World) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(Durable(at).run(roll_out_model, call()))
    return answer


def blind(at: World, times: int) -> None:
    """Azure does not find the endpoint, and does not list it, this many times from now on."""
    kinds = ("absent", "empty") * times
    at.trouble = Trouble(more=dict(enumerate(kinds, start=len(at.calls) + 1)))


def test_an_endpoint_that_a_list_shows_is_not_gone() -> None:
    at = serving(OLD, trouble=Trouble(1, "absent"))
    with pytest.raises(
        TransientError, match="Azure answered 404 for endpoint 'net', which its list"
    ) as caught:
        find_endpoint(at, "net")  # type: ignore[arg-type]
    assert caught.value.busy, "that it settles takes time, not attempts"


def test_a_deployment_with_traffic_is_not_gone_even_where_the_list_is_empty() -> None:
    at = serving(OLD, trouble=Trouble(more={1: "absent", 3: "empty"}))
    with pytest.raises(TransientError, match="404 for deployment 'net-1' of endpoint 'net', which exists"):
        find_deployment(at, "net", "net-1")  # type: ignore[arg-type]


def test_what_neither_shows_is_absent() -> None:
    assert find_endpoint(World(), "net") is None  # type: ignore[arg-type]
    assert find_deployment(World(), "net", "net-1") is None  # type: ignore[arg-type]
    assert find_deployment(serving(OLD), "net", "net-3") is None  # type: ignore[arg-type]


def test_a_short_list_leaves_out_none_that_serves() -> None:
    at = serving(OLD, trouble=Trouble(1, "empty"))
    assert at.endpoint_state
    found = list_deployments(at, at.endpoint_state)  # type: ignore[arg-type]
    assert [one.name for one in found] == ["net-1", "net-2"]


def test_an_older_version_does_not_pass_the_order_gate_for_an_empty_list() -> None:
    at = serving(OLD)
    at.trouble = Trouble(2, "empty")
    done = DeployModel(template="small.yaml", endpoint="net").report_serving(context("net", "1"), at)  # type: ignore[arg-type]
    assert isinstance(done, Done)
    assert [one["by"] for one in done.result["serving"]] == ["1", "2"]


def test_an_endpoint_that_azure_hides_for_a_while_keeps_its_traffic_and_tags() -> None:
    at = serving(OLD)
    assert at.endpoint_state
    at.endpoint_state = replace(at.endpoint_state, tags={"owner": "someone"})
    at.trouble = Trouble(more=dict.fromkeys(range(1, 18, 2), "absent"))
    assert carried(at)["kind"] == "done"
    assert not [name for name in at.writes if name.startswith("put endpoint")]
    assert at.endpoint_state.tags == {"owner": "someone"}


def test_an_endpoint_that_even_the_list_hides_for_a_moment_is_not_created() -> None:
    at = serving(OLD)
    blind(at, AHEAD + LOOKS_BEFORE_PUT - 1)
    assert carried(at)["kind"] == "done"
    assert not [name for name in at.writes if name.startswith("put endpoint")]


def test_an_endpoint_that_is_hidden_on_the_way_back_is_looked_for_again() -> None:
    at = serving(OLD, errors={"9": 0.5})

    def hide(world: World) -> None:
        blind(world, LOOKS_UNTIL_ABSENT)

    at.meddling = at_traffic(10, hide)
    answer = carried(at)
    assert answer["kind"] == "failed"
    assert traffic(at) == OLD


def test_where_even_the_list_hid_it_nothing_unchecked_gets_the_traffic() -> None:
    at = serving(OLD)
    at.answered.clear()  # the outage is Azure's doing
    blind(at, AHEAD + LOOKS_BEFORE_PUT)
    answer = carried(at)
    assert answer["kind"] == "failed"
    assert "existed although Azure answered 404 and did not list it" in answer["detail"]
    assert "set the traffic of its deployments (net-1, net-2) again" in answer["detail"]
    assert traffic(at) == {}


def test_one_that_someone_else_creates_at_the_same_moment_is_theirs() -> None:
    at = World()
    at.endpoint_state = EndpointState(
        "net", "Succeeded", tags={"owner": "x"}, auth_mode="Key", scoring_uri="u"
    )
    blind(at, AHEAD + LOOKS_BEFORE_PUT)
    answer = carried(at)
    assert answer["kind"] == "done"
    assert traffic(at) == {"net-9": 100}


@pytest.mark.parametrize("kind", PASSING)
def test_a_new_endpoint_is_made_once_whatever_happens(kind: str) -> None:
    calm = World()
    carried(calm)
    for number in range(1, len(calm.calls) + 1):
        at = World(trouble=Trouble(number, kind))
        assert carried(at)["kind"] == "done", (kind, number, at.trouble.struck)
        at.advance(700.0)
        assert at.writes.count("put endpoint net") == 1, (kind, number)
        assert traffic(at) == {"net-9": 100}


def test_a_deployment_of_someone_else_under_an_own_endpoint_is_theirs() -> None:
    at = World()
    tags = {"mlevents.response": "rule-1.abc"}
    at.endpoint_state = EndpointState("net", "Succeeded", tags=tags, auth_mode="Key", scoring_uri="u")
    at.placed["net-9"] = Placed(DeploymentState("net-9", "Failed", "", tags))
    at.placed["net-9"].state = replace(
        at.placed["net-9"].state, model=f"{at.workspace.id}/models/net/versions/9"
    )
    assert carried(at)["kind"] == "done", (
        "a failed try of this very response is no trace of another's endpoint"
    )
