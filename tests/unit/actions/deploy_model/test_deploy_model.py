"""`deploy_model`: what its verbs decide, and that they may be called at any time, any number of times."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mlevents.actions.action import Pending
from mlevents.actions.deploy_model import action
from mlevents.actions.deploy_model.action import DeployModel
from mlevents.errors import NotAllowedError, PermanentError, TransientError
from mlevents.services.machine_learning.states import DeploymentState, EndpointState
from tests.unit.actions.deploy_model.fake_workspace import TOPIC, FakeWorkspace
from tests.unit.actions.deploy_model.rollouts import carry, context, deploy

SMALL = DeployModel(template="small.yaml")
OURS = {"fraud-net-8": 100}


def serving(traffic: dict[str, int] | None = None, **states: str) -> FakeWorkspace:
    """A workspace whose endpoint `fraud-net` serves with these deployments."""
    world = FakeWorkspace()
    placed = {"blue": "Succeeded", "green": "Succeeded", **states}
    world.endpoints.endpoints["fraud-net"] = EndpointState(
        "fraud-net", "Succeeded", traffic or {"blue": 90, "green": 10}
    )
    world.endpoints.placed["fraud-net"] = {
        name: DeploymentState(name, state, f"{TOPIC}/models/old/versions/1") for name, state in placed.items()
    }
    return world


def traffic(world: FakeWorkspace) -> dict[str, int]:
    return dict(world.endpoints.endpoints["fraud-net"].traffic)


def test_the_example_in_the_docstring_is_a_step() -> None:
    step = yaml.safe_load((action.__doc__ or "").split("```yaml")[1].split("```")[0])
    assert step["uses"] == "deploy_model"
    assert DeployModel.model_validate(step["with"]).template == "deployments/small.yaml"


def test_a_missing_endpoint_is_made_and_gets_all_traffic_at_last() -> None:
    world = FakeWorkspace()
    result = deploy(world)
    assert world.endpoints.writes == ["endpoint fraud-net", "deployment fraud-net-8", f"traffic {OURS}"]
    assert result["before"] == {}
    assert result["scoring_uri"] == "https://fraud-net/score"
    assert result["studio"].startswith(
        "https://ml.azure.com/endpoints/realtime/fraud-net/detail?wsid=/subscriptions/"
    )
    assert (result["model"], result["deployment"], result["traffic"]) == ("fraud-net:8", "fraud-net-8", OURS)


def test_what_is_made_says_where_it_came_from() -> None:
    world = FakeWorkspace()
    deploy(world)
    tags = world.endpoints.placed["fraud-net"]["fraud-net-8"].tags
    assert tags["mlevents.model"] == "fraud-net:8"
    assert tags["mlevents.response"] == "rule-1.abc"
    assert world.endpoints.endpoints["fraud-net"].tags["mlevents.rule"] == "rule-1"


def test_a_deployment_that_fails_never_gets_traffic_and_says_why() -> None:
    world = serving()
    world.endpoints.fails = "Failed"
    with pytest.raises(PermanentError, match=r"'fraud-net-8' .* is Failed: OutOfQuota: not enough cores"):
        deploy(world)
    assert traffic(world) == {"blue": 90, "green": 10}
    assert world.endpoints.maps == []


def test_a_failed_try_of_ours_is_put_again() -> None:
    world = serving()
    world.endpoints.fails = "Failed"
    with pytest.raises(PermanentError):
        deploy(world)
    world.endpoints.fails = ""
    assert deploy(world)["traffic"] == OURS


def test_a_failed_deployment_of_somebody_else_is_left_alone() -> None:
    world = serving()
    world.endpoints.placed["fraud-net"]["fraud-net-8"] = DeploymentState(
        "fraud-net-8", "Failed", f"{TOPIC}/models/fraud-net/versions/8"
    )
    with pytest.raises(PermanentError, match="is Failed, and mlevents did not create it"):
        deploy(world)


def test_another_model_under_our_name_is_refused() -> None:
    world = serving()
    with pytest.raises(PermanentError, match=r"'blue' .* serves .*/models/old/versions/1, not fraud-net:8"):
        deploy(world, DeployModel(template="small.yaml", deployment="blue"))
    assert world.endpoints.writes == []


def test_the_same_model_is_found_whatever_the_casing_of_its_workspace() -> None:
    world = serving()
    upper = f"{TOPIC.upper()}/MODELS/fraud-net/versions/8"
    world.endpoints.placed["fraud-net"]["fraud-net-8"] = DeploymentState("fraud-net-8", "Succeeded", upper)
    deploy(world)
    assert world.endpoints.writes == [f"traffic {OURS}"]


def test_deploying_again_changes_nothing() -> None:
    world = serving()
    deploy(world)
    written = list(world.endpoints.writes)
    assert deploy(world)["traffic"] == OURS
    assert world.endpoints.writes == written


def test_a_full_endpoint_is_said_before_azure_refuses() -> None:
    world = serving(None, **{f"old-{number:02}": "Succeeded" for number in range(18)})
    with pytest.raises(PermanentError, match=r"has 20 deployments, and Azure allows 20: .* \(old-00, "):
        deploy(world)


def test_traffic_that_somebody_moved_meanwhile_is_left_so() -> None:
    world = serving()
    at = replace(context(), progress={"before": {"blue": 100}})
    world.endpoints.placed["fraud-net"]["fraud-net-8"] = DeploymentState(
        "fraud-net-8", "Succeeded", f"{TOPIC}/models/fraud-net/versions/8"
    )
    with pytest.raises(PermanentError, match=r"someone else moved the traffic .* to blue 90 %, green 10 %"):
        SMALL.shift_traffic(at, world)
    assert "was set by someone else" in carry(SMALL, "restore_traffic", at, world).detail
    assert traffic(world) == {"blue": 90, "green": 10}


@pytest.mark.parametrize(
    ("state", "error"),
    [("Failed", PermanentError), ("Updating", TransientError), ("Creating", TransientError)],
)
def test_traffic_never_goes_to_a_deployment_that_cannot_serve(state: str, error: type[Exception]) -> None:
    world = serving(None, **{"fraud-net-8": state})
    mine = world.endpoints.placed["fraud-net"]["fraud-net-8"]
    world.endpoints.placed["fraud-net"]["fraud-net-8"] = replace(
        mine, model=f"{TOPIC}/models/fraud-net/versions/8"
    )
    with pytest.raises(error, match=f"'fraud-net-8' of endpoint 'fraud-net' is {state}"):
        SMALL.shift_traffic(context(), world)
    assert world.endpoints.writes == []


def test_the_shift_is_over_when_the_endpoint_says_so() -> None:
    world = serving()
    deploy(world)
    there = world.endpoints.endpoints["fraud-net"]
    world.endpoints.endpoints["fraud-net"] = replace(there, provisioning_state="Updating")
    assert isinstance(SMALL.shift_traffic(context(), world), Pending)
    world.endpoints.endpoints["fraud-net"] = replace(there, provisioning_state="Failed")
    with pytest.raises(PermanentError, match="endpoint 'fraud-net' is Failed: OutOfQuota"):
        SMALL.shift_traffic(context(), world)


def test_the_traffic_to_restore_is_the_one_just_before_ours() -> None:
    world = serving()
    at = replace(context(), progress={"before": {"blue": 100}})
    SMALL.create_deployment(at, world)
    assert carry(SMALL, "follow_deployment", at, world).result["before"] == {"blue": 90, "green": 10}


@pytest.mark.parametrize(
    ("before", "gone", "restored"),
    [
        ({"blue": 90, "green": 10}, (), {"blue": 90, "green": 10}),
        ({"blue": 90, "green": 10}, ("green",), {"blue": 100}),
        ({"blue": 90, "green": 10}, ("blue", "green"), OURS),
        ({}, (), {}),
    ],
)
def test_restoring_puts_the_old_map_back_for_those_who_can_serve(
    before: dict[str, int], gone: tuple[str, ...], restored: dict[str, int]
) -> None:
    world = serving(before)
    deploy(world)
    for name in gone:
        del world.endpoints.placed["fraud-net"][name]
    for _ in range(2):
        done = carry(SMALL, "restore_traffic", replace(context(), progress={"before": before}), world)
        assert traffic(world) == restored
        assert "someone else" not in done.detail


def test_there_is_nothing_to_restore_before_anything_was_moved() -> None:
    assert carry(SMALL, "restore_traffic", context(), FakeWorkspace()).detail == "no traffic was moved"


def test_an_endpoint_that_is_broken_is_not_touched() -> None:
    world = serving()
    world.endpoints.endpoints["fraud-net"] = EndpointState("fraud-net", "Failed")
    with pytest.raises(PermanentError, match="endpoint 'fraud-net' is Failed: OutOfQuota"):
        deploy(world)
    assert world.endpoints.writes == []


def test_two_texts_that_come_out_as_one_name_do_not_share_an_endpoint() -> None:
    world = FakeWorkspace()
    deploy(world, DeployModel(template="small.yaml", endpoint="fraud net"))
    deploy(world, DeployModel(template="small.yaml", endpoint="fraud-net"))
    with pytest.raises(PermanentError, match="was created for 'fraud net', and 'fraud_net' gives the same"):
        deploy(world, DeployModel(template="small.yaml", endpoint="fraud_net"))


def test_events_about_no_model_need_the_parameter() -> None:
    at = replace(context(), names={})
    with pytest.raises(PermanentError, match="Set the parameter `model` to name:version"):
        SMALL.locate(at, FakeWorkspace())
    named = DeployModel(template="small.yaml", model="credit:3")
    assert deploy(FakeWorkspace(), named, at)["deployment"] == "credit-3"


@pytest.mark.parametrize("model", ["credit", "credit:", ":3"])
def test_a_model_without_a_version_is_refused_when_rules_load(model: str) -> None:
    with pytest.raises(ValidationError, match="has no model version"):
        DeployModel(template="small.yaml", model=model)


@pytest.mark.parametrize("name", ["a/../b", "x" * 300, "mo del", "a\x00b", "\ud800"])
def test_a_model_name_that_azure_cannot_have_is_refused_with_the_name(name: str) -> None:
    with pytest.raises(PermanentError, match="is not a valid model name and version"):
        deploy(FakeWorkspace(), at=context(name))


def test_one_endpoint_has_one_lock_however_its_name_is_cased() -> None:
    world = FakeWorkspace()
    locks = {
        DeployModel(template="small.yaml", endpoint=name).locate(context(), world).result["lock"]  # type: ignore[union-attr]
        for name in ("fraud-net", "Fraud-Net")
    }
    assert len(locks) == 1


@settings(max_examples=150, deadline=None)
@given(choices=st.lists(st.sampled_from(["", "", "refused", "lost"]), max_size=12), repeats=st.data())
def test_performing_any_number_of_times_leaves_what_performing_once_leaves(
    choices: list[str], repeats: st.DataObject
) -> None:
    clean, world = serving(), serving()
    expected = deploy(clean)
    waiting = iter(choices)
    world.endpoints.trouble = lambda _: next(waiting, "")
    result = deploy(world, times=lambda: repeats.draw(st.integers(1, 3)))
    assert result == expected
    assert world.endpoints.endpoints["fraud-net"].traffic == clean.endpoints.endpoints["fraud-net"].traffic
    assert world.endpoints.placed.keys() == clean.endpoints.placed.keys()
    assert all(those == OURS for those in world.endpoints.maps)


@settings(max_examples=100, deadline=None)
@given(choices=st.lists(st.sampled_from(["", "refused", "lost"]), max_size=12), repeats=st.data())
def test_restoring_any_number_of_times_gives_the_old_map_back(
    choices: list[str], repeats: st.DataObject
) -> None:
    world = serving()
    progress = deploy(world)
    waiting = iter(choices)
    world.endpoints.trouble = lambda _: next(waiting, "")
    at = replace(context(), progress=progress)
    carry(SMALL, "restore_traffic", at, world, lambda: repeats.draw(st.integers(1, 3)))
    assert traffic(world) == {"blue": 90, "green": 10}


def test_an_endpoint_that_is_not_listed_is_refused_before_anything_is_asked() -> None:
    world = FakeWorkspace()
    listed = DeployModel(template="small.yaml", endpoint="Payments_Prod", endpoints=("fraud-*",))
    for verb in (listed.locate, listed.report_serving):
        with pytest.raises(NotAllowedError, match="names the endpoint 'payments-prod', which is not one of"):
            verb(context(), world)
    assert world.endpoints.writes == []
    allowed = DeployModel(template="small.yaml", endpoint="payments", endpoints=("pay*",))
    assert allowed.locate(context(), world)
