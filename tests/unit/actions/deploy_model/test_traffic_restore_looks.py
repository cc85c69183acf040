"""One look of the way back: what each state of the endpoint and of the old deployments leads to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.deploy_model.lookup import LOOKS_UNTIL_ABSENT
from mlevents.actions.deploy_model.previous_deployments import PreviousDeployments
from mlevents.actions.deploy_model.progress import Progress
from mlevents.actions.deploy_model.target import SOON, RolloutTarget, TargetNames
from mlevents.actions.deploy_model.traffic_restore import SETTLING, restore_maps
from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.services.machine_learning.states import DeploymentState
from tests.unit.actions.deploy_model.rollout_world import Placed, World, serving
from tests.unit.actions.deploy_model.rollouts import context
from tests.unit.actions.deploy_model.test_rollout_exhaustive import OLD

MOVED = {"net-1": 63, "net-2": 27, "net-9": 10}
WHOLE = {"net-9": 100}
OLD_WORDS = "net-1 70 %, net-2 30 %"


def phase(traffic: Mapping[str, int], verb: str = "shift_traffic") -> dict[str, Any]:
    return {"name": "a phase", "verb": verb, "percent": 10, "traffic": dict(traffic), "mirror": {}}


def endpoint(traffic: Mapping[str, int] = MOVED, state: str = "Succeeded", **states: str) -> World:
    """An endpoint with these maps; `states` are those of deployments, `net_1` for `net-1`."""
    at = serving(OLD)
    at.placed["net-9"] = Placed(DeploymentState("net-9", "Succeeded"))
    for name, one in states.items():
        placed = at.placed[name.replace("_", "-")]
        placed.state, placed.served = replace(placed.state, provisioning_state=one), True
    assert at.endpoint_state
    at.endpoint_state = replace(at.endpoint_state, traffic=dict(traffic), provisioning_state=state)
    at.live = dict(traffic)
    return at


def look(at: World, **more: Any) -> Outcome:
    target = RolloutTarget.of(context("net", "9"), at, TargetNames(endpoint="net"))  # type: ignore[arg-type]
    progress = {"before": OLD, "before_mirror": {}, "plan": [phase(MOVED)], "phase": 0, **more}
    return restore_maps(target, Progress.from_json(progress))


def looks_until_another(at: World, detail: str, **more: Any) -> tuple[int, Outcome]:
    """How many looks are pending with this detail, and what comes after."""
    found, count = look(at, **more), 0
    while isinstance(found, Pending) and detail in found.detail:
        assert found.after == SOON
        count, found = count + 1, look(at, **{**more, **found.progress})
    return count, found


def writes(at: World) -> list[str]:
    return [call for call in at.calls if call.startswith("put traffic")]


def pending(found: Outcome) -> Pending:
    assert isinstance(found, Pending)
    return found


def left(found: Outcome) -> Progress:
    """The progress that a look leaves to the next one."""
    return Progress.from_json(pending(found).progress)


def test_where_no_traffic_was_moved_there_is_nothing_to_do() -> None:
    at = endpoint()
    assert look(at, before=None) == Done("no traffic was moved")
    assert writes(at) == []


def test_an_operation_under_way_is_waited_for() -> None:
    found = pending(look(endpoint(state="Updating"), late=True))
    assert (found.detail, found.after) == ("endpoint 'net' is Updating", SOON)
    assert left(found).late is True


def test_an_endpoint_is_gone_after_it_was_looked_for_several_times() -> None:
    at = endpoint()
    at.endpoint_state = None
    count, found = looks_until_another(at, "endpoint 'net' is not found")
    assert count == LOOKS_UNTIL_ABSENT - 1
    assert found == Done("endpoint 'net' is gone, so there is no traffic to restore")


def test_a_map_of_ours_goes_back_to_the_one_before() -> None:
    at = endpoint()
    found = pending(look(at))
    assert (found.detail, found.after) == (f"the traffic of 'net' goes back to {OLD_WORDS}", SOON)
    assert (left(found).restoring, left(found).late) == ("all", False)
    assert writes(at) == ["put traffic {'net-1': 70, 'net-2': 30}"]


def test_a_mirror_goes_back_too() -> None:
    at = endpoint()
    at.placed["net-3"] = Placed(DeploymentState("net-3", "Succeeded"))
    look(at, before_mirror={"net-3": 10})
    assert writes(at) == ["put traffic {'net-1': 70, 'net-2': 30} {'net-3': 10}"]


def test_a_write_that_may_still_arrive_is_waited_for_once() -> None:
    at = endpoint(OLD)
    found = pending(look(at))
    assert (found.after, found.exact, left(found).late) == (SETTLING, True, False)
    assert left(found).before == OLD
    assert look(at, **found.progress) == Done(f"the traffic of 'net' is {OLD_WORDS}")
    assert writes(at) == []


def test_longer_than_a_request_may_take_is_two_minutes() -> None:
    assert SETTLING == 120.0


@pytest.mark.parametrize(
    "progress",
    [{"before": OLD, "before_mirror": {}}, {"before": OLD, "plan": [phase(MOVED, "smoke_test")], "phase": 0}],
    ids=["no phase", "a phase without traffic"],
)
def test_where_we_wrote_nothing_nothing_can_arrive(progress: dict[str, Any]) -> None:
    target = RolloutTarget.of(context("net", "9"), endpoint(OLD), TargetNames(endpoint="net"))  # type: ignore[arg-type]
    assert isinstance(restore_maps(target, Progress.from_json(progress)), Done)


def test_what_another_orchestration_wrote_may_still_arrive() -> None:
    found = pending(look(endpoint(), inherited=True))
    assert found.detail == f"the traffic of 'net' goes back to {OLD_WORDS}"
    assert left(found).late is True


def test_traffic_of_someone_else_stays() -> None:
    at = endpoint({"net-2": 90, "net-9": 10})
    words = "the traffic of 'net' was set by someone else, so it stays: net-2 90 %, net-9 10 %"
    assert look(at, late=False) == Done(words)
    assert writes(at) == []


def test_the_map_of_those_that_surely_serve_is_where_it_ends() -> None:
    at = endpoint({"net-2": 100}, net_1="Failed")
    assert look(at, late=False) == Done("the traffic of 'net' is net-2 100 %")


@pytest.mark.parametrize("state", ["Updating", "Scaling", "Creating", "Deleting"])
def test_no_write_goes_out_while_an_old_deployment_changes(state: str) -> None:
    at = endpoint(net_2=state)
    found = pending(look(at, absent=3))
    assert found.detail == f"deployment 'net-2' is {state}: the traffic waits to go back"
    assert (found.after, left(found).absent, left(found).before) == (SOON, 3, OLD)
    assert writes(at) == []


def test_one_that_is_absent_is_looked_for_several_times_before_others_get_its_share() -> None:
    at = endpoint(WHOLE)
    del at.placed["net-1"]
    count, found = looks_until_another(at, "not found, so looked for again: net-1", plan=[phase(WHOLE)])
    assert count == LOOKS_UNTIL_ABSENT - 1
    assert found.detail == "the traffic of 'net' goes back to net-2 100 %"


def test_where_all_are_absent_the_traffic_stays() -> None:
    at = endpoint(WHOLE)
    del at.placed["net-1"], at.placed["net-2"]
    count, found = looks_until_another(
        at, "not found, so looked for again: net-1, net-2", plan=[phase(WHOLE)]
    )
    assert count == LOOKS_UNTIL_ABSENT - 1
    words = f"the traffic of 'net' stays as it is: none of {OLD_WORDS} exists any more"
    assert found == Done(words)


def test_a_map_that_azure_refuses_is_tried_without_the_failed_ones_at_once() -> None:
    at = endpoint(net_1="Failed")
    found = pending(look(at))
    assert found.detail.startswith(f"Azure refused {OLD_WORDS}: Deployment net-1 cannot take traffic")
    assert found.after == 0.0
    then = pending(look(at, **found.progress))
    assert then.detail == "the traffic of 'net' goes back to net-2 100 %"
    assert left(then).restoring == "succeeded"


@pytest.mark.parametrize(
    ("status", "answer", "tried"),
    [
        (400, "no", True),
        (422, "no", True),
        (409, "deployment NET-1 is in a bad state", True),
        (402, "net-1", True),
        (409, "the endpoint is busy", False),
        (401, "net-1", False),
        (403, "net-1", False),
        (500, "net-1", False),
        (399, "net-1", False),
    ],
)
def test_a_refusal_is_about_the_failed_ones_by_its_status_or_their_names(
    monkeypatch: pytest.MonkeyPatch, status: int, answer: str, tried: bool
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise RefusedError("refused", status=status, answer=answer)

    at, sound = endpoint(net_1="Failed"), endpoint()
    monkeypatch.setattr(at, "set_traffic", refuse)
    monkeypatch.setattr(sound, "set_traffic", refuse)
    if tried:
        assert left(look(at)).refused == answer
    else:
        with pytest.raises(RefusedError):
            look(at)
    with pytest.raises(RefusedError):
        look(sound)
    with pytest.raises(RefusedError):
        look(at, refused="before")


def test_one_that_has_recovered_gets_its_traffic_back() -> None:
    assert left(look(endpoint(), refused="once")).restoring == "all"


def test_where_azure_refuses_every_old_one_the_rollout_says_so() -> None:
    words = f"could not go back to {OLD_WORDS}: Azure refuses net-1, net-2: why"
    with pytest.raises(PermanentError, match=words):
        look(endpoint(net_1="Failed", net_2="Failed"), refused="why")


def test_a_write_that_failed_for_a_failed_one_counts_as_refused() -> None:
    at = endpoint(state="Failed", net_1="Failed")
    found = pending(look(at, restoring="all"))
    assert (left(found).refused, left(found).restoring) == (at.reason(None), "succeeded")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("restoring", "net_1"), [("all", "Succeeded"), ("succeeded", "Succeeded"), ("succeeded", "Failed")]
)
def test_a_write_that_failed_though_all_could_serve_is_an_error(restoring: str, net_1: str) -> None:
    with pytest.raises(PermanentError, match="endpoint 'net' is Failed"):
        look(endpoint(state="Failed", net_1=net_1), restoring=restoring)


def test_a_write_that_succeeded_says_nothing_of_a_refusal() -> None:
    at = endpoint(net_1="Failed")
    at.placed["net-1"].refused = False
    found = pending(look(at, restoring="all"))
    assert (left(found).restoring, left(found).refused) == ("all", None)


def test_an_endpoint_that_a_move_of_ours_broke_is_repaired_by_the_old_map() -> None:
    at = endpoint(OLD, state="Failed")
    assert f"goes back to {OLD_WORDS}" in look(at, late=False).detail
    assert look(endpoint(OLD, state="Failed"), late=False, restoring="all") == Done(
        f"the traffic of 'net' is {OLD_WORDS}"
    )


@pytest.mark.parametrize("change", [{"mirror": {"net-2": 10}}, {"traffic": {"net-2": 100}}])
def test_traffic_that_changes_at_the_moment_of_the_write_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    at = endpoint()
    put = at.set_traffic

    def meddle(*arguments: Any, **named: Any) -> None:
        assert at.endpoint_state
        at.endpoint_state = replace(at.endpoint_state, **change)
        put(*arguments, **named)

    monkeypatch.setattr(at, "set_traffic", meddle)
    with pytest.raises(TransientError, match="the traffic of 'net' changed at this moment"):
        look(at)
    assert writes(at) == []


def earlier(**states: str | None) -> PreviousDeployments:
    known = {name: DeploymentState(name, one) if one else None for name, one in states.items()}
    return PreviousDeployments({"a": 60, "b": 40, "c": 0}, {"b": 10, "c": 0}, known)


def test_the_maps_before_for_those_that_exist_and_for_those_that_surely_serve() -> None:
    found = earlier(a="Succeeded", b="Failed")
    assert found.maps(sure=False) == ({"a": 60, "b": 40, "c": 0}, {"b": 10, "c": 0})
    assert found.maps(sure=True) == ({"a": 100}, {"c": 0})
    assert earlier(a=None, b="Failed").maps(sure=False) == ({"b": 100}, {"b": 10, "c": 0})


def test_which_of_the_earlier_ones_change_are_broken_or_absent() -> None:
    found = earlier(a="Succeeded", b="Failed", c=None)
    assert (found.changing, found.broken, found.absent) == (None, ["b"], ["c"])
    changing = earlier(a="Succeeded", b="Scaling").changing
    assert changing is not None
    assert changing.name == "b"


def test_only_those_that_served_are_looked_up() -> None:
    at = serving({"net-1": 100, "net-2": 0})
    at.calls.clear()
    target = RolloutTarget.of(context("net", "9"), at, TargetNames(endpoint="net"))  # type: ignore[arg-type]
    found = PreviousDeployments.find(target, {"net-1": 100, "net-2": 0}, {"NET-1": 10, "net-2": 0})
    assert [name.lower() for name in found.states] == ["net-1"]
    assert at.calls == ["read deployment"]


def test_a_mirror_of_ours_is_taken_back_where_no_traffic_moved() -> None:
    at = endpoint(OLD)
    assert at.endpoint_state
    at.endpoint_state = replace(at.endpoint_state, mirror={"net-9": 10})
    found = look(at, plan=[{**phase(OLD), "mirror": {"net-9": 10}}])
    assert f"goes back to {OLD_WORDS}" in found.detail
    assert at.writes[-1] == "put traffic {'net-1': 70, 'net-2': 30}"


def test_where_nothing_was_planned_all_traffic_on_the_new_one_is_ours() -> None:
    at = endpoint(WHOLE)
    assert f"goes back to {OLD_WORDS}" in look(at, plan=[], phase=None).detail


def test_a_refusal_that_names_one_of_several_failed_ones_is_about_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise RefusedError("refused", status=409, answer="deployment net-2 is in a bad state")

    at = endpoint(net_1="Failed", net_2="Failed")
    monkeypatch.setattr(at, "set_traffic", refuse)
    assert left(look(at)).refused == "deployment net-2 is in a bad state"
