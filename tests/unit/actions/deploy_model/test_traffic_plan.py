"""The plan of a rollout: every map that it puts, and the parameters that it comes from."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlevents.actions.deploy_model import parameters
from mlevents.actions.deploy_model.answer_body import find_unexpected_values, path_parts, value_at
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.actions.deploy_model.progress import Phase
from mlevents.actions.deploy_model.traffic_map import scale_shares, traffic_holders
from mlevents.actions.deploy_model.traffic_plan import is_planned_traffic, plan_phases
from mlevents.actions.deploy_model.verbs import RolloutVerb

LASTING = [{"percent": 10, "for": "5m"}]
names = st.sampled_from(["a", "b", "c", "d", "new"])


@st.composite
def maps(draw: st.DrawFn) -> dict[str, int]:
    """A traffic map that sums to 100, perhaps with a 0 in it."""
    weights = draw(
        st.dictionaries(names, st.integers(0, 9), min_size=1).filter(lambda one: any(one.values()))
    )
    return {name: 0 for name in weights} | scale_shares(weights, 100)


rollouts = st.builds(
    lambda shares, mirror: Rollout.model_validate(
        {
            "steps": [{"percent": share, "for": "5m"} for share in sorted(shares)],
            **({"mirror": {"percent": mirror, "for": "5m"}} if mirror else {}),
        }
    ),
    st.sets(st.integers(1, 100), min_size=1, max_size=6),
    st.integers(0, 50),
)


@given(rollout=rollouts, traffic=maps(), mirrored=st.sampled_from([{}, {"c": 20}, {"new": 10}]))
def test_every_planned_map_is_one_that_azure_takes(rollout, traffic, mirrored) -> None:
    phases = plan_phases(rollout, "new", traffic, mirrored)
    for phase in phases:
        assert sum(phase.traffic.values()) == 100
        assert len(traffic_holders(phase.mirror)) <= 1
        assert not set(traffic_holders(phase.mirror)) & set(traffic_holders(phase.traffic)) - {"c"}
        assert is_planned_traffic(phases, phase.traffic, phase.mirror)
    assert traffic_holders(phases[-1].traffic) == {"new": 100}


@given(rollout=rollouts, traffic=maps())
def test_the_share_of_the_new_deployment_only_grows(rollout, traffic) -> None:
    shares = [phase.traffic.get("new", 0) for phase in plan_phases(rollout, "new", traffic, {})]
    assert shares == sorted(shares)


@given(rollout=rollouts, traffic=maps())
def test_nobody_who_served_nothing_gets_traffic(rollout, traffic) -> None:
    for phase in plan_phases(rollout, "new", traffic, {}):
        assert set(traffic_holders(phase.traffic)) <= {*traffic_holders(traffic), "new"}


def test_the_others_keep_their_proportion() -> None:
    rollout = Rollout.model_validate({"steps": [{"percent": 10, "for": "5m"}]})
    maps = [phase.traffic for phase in plan_phases(rollout, "new", {"a": 70, "b": 30, "c": 0}, {})]
    assert maps == [{"a": 63, "b": 27, "new": 10}, {"new": 100}]


def test_a_rollout_begun_by_somebody_goes_on_from_there() -> None:
    rollout = Rollout.model_validate({"steps": [{"percent": 10, "for": "5m"}, {"percent": 50, "for": "5m"}]})
    names = [phase.name for phase in plan_phases(rollout, "new", {"a": 70, "new": 30}, {})]
    assert names == ["50 %", "100 %"]


def test_a_share_that_is_there_already_is_no_step() -> None:
    steps = [{"percent": 30, "for": "5m"}, {"percent": 50, "for": "5m"}]
    phases = plan_phases(Rollout.model_validate({"steps": steps}), "new", {"a": 70, "NEW": 30}, {})
    assert [phase.name for phase in phases] == ["50 %", "100 %"]


def test_all_traffic_is_the_last_step_once() -> None:
    rollout = Rollout.model_validate({"steps": [{"percent": 10, "for": "5m"}, {"percent": 100}]})
    assert [phase.name for phase in plan_phases(rollout, "new", {"a": 100}, {})] == ["10 %", "100 %"]


def test_a_mirror_copies_before_any_live_traffic_and_in_the_place_of_another() -> None:
    mirror = {"percent": 20, "for": "5m", "timeout": "30m"}
    phases = plan_phases(Rollout.model_validate({"mirror": mirror}), "new", {"a": 100}, {"b": 10})
    assert [phase.to_json() for phase in phases] == [
        {
            "name": "mirror 20 %",
            "verb": "shift_traffic",
            "traffic": {"a": 100},
            "mirror": {"new": 20},
            "for": 300.0,
            "timeout": 1800.0,
            "own_timeout": True,
        },
        {
            "name": "100 %",
            "verb": "shift_traffic",
            "percent": 100,
            "traffic": {"new": 100},
            "mirror": {"b": 10},
        },
    ]


def test_one_that_has_live_traffic_needs_no_mirror() -> None:
    rollout = Rollout.model_validate({"mirror": {"percent": 20, "for": "5m"}})
    assert [phase.name for phase in plan_phases(rollout, "new", {"a": 90, "New": 10}, {})] == ["100 %"]


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 600.0), ("2m", 120.0)])
def test_a_smoke_test_comes_first_and_waits_ten_minutes_unless_it_says(timeout, seconds: float) -> None:
    rollout = Rollout.model_validate({"smoke_test": {"request": {}, "timeout": timeout}})
    first, _ = plan_phases(rollout, "new", {"a": 100}, {})
    assert first == Phase("smoke test", RolloutVerb.SMOKE_TEST, timeout=seconds)


def test_maps_are_ours_with_their_mirror_alone() -> None:
    phases = plan_phases(Rollout.model_validate({"steps": LASTING}), "new", {"a": 100}, {"b": 10})
    assert is_planned_traffic(phases, {"A": 90, "New": 10}, {"B": 10})
    assert not is_planned_traffic(phases, {"a": 90, "new": 10}, {})
    assert not is_planned_traffic(phases, {"a": 100}, {"b": 10})


def test_a_phase_may_take_twice_as_long_as_it_should_unless_it_says() -> None:
    steps = [{"percent": 10, "for": "5m"}, {"percent": 50, "for": "5m", "timeout": "6m"}]
    rollout = Rollout.model_validate({"steps": steps})
    assert [phase.timeout for phase in plan_phases(rollout, "new", {"a": 100}, {})] == [600, 360, 0]


def test_the_example_in_the_docstring_is_a_rollout() -> None:
    text = (parameters.__doc__ or "").split("```yaml")[1].split("```")[0]
    assert Rollout.model_validate(yaml.safe_load(text)["rollout"]).keep == 1


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"steps": [{"percent": 50}, {"percent": 10}]}, "each must be more than the one before"),
        ({"steps": [{"percent": 10, "for": "5m"}, {"percent": 10}]}, "each must be more than the one before"),
        ({"steps": []}, "at least 1 item"),
        ({"steps": [{"percent": 101}]}, "less than or equal to 100"),
        ({"mirror": {"percent": 51, "for": "5m"}}, "less than or equal to 50"),
        ({"mirror": {"percent": 50, "for": "5m"}}, ""),
        ({"no_traffic": "probe", "smoke_test": {"request": {}}, "probe": {"rps": 10}}, ""),
        ({"no_traffic": "probe", "smoke_test": {"request": {}}, "probe": {"rps": 10.5}}, "or equal to 10"),
        ({"mirror": {"percent": 10}}, "Field required"),
        ({"checks": [{"metric": "error_rate"}]}, "has no limit: give `max` or `min`"),
        ({"checks": [{"metric": "error_rate", "max": 1}], "steps": LASTING}, ""),
        ({"checks": [{"metric": "error_rate", "max": 1}], "mirror": {"percent": 5, "for": "5m"}}, ""),
        ({"checks": [{"metric": "error_rate", "max": 1}]}, "`checks` would never be used: no step"),
        ({"min_requests": 50}, "`min_requests` would never be used: no step and no mirror has a `for`"),
        ({"min_requests": 50, "steps": [{"percent": 10, "for": "0s"}]}, "Write {percent: 10, for: 15m}"),
        ({"min_requests": 0}, ""),
        ({"steps": [{"percent": 10, "for": "5m", "timeout": "0s"}]}, "the duration must be longer than 0 s"),
        ({"mirror": {"percent": 10, "for": "0s"}}, "the duration must be longer than 0 s"),
        ({"mirror": {"percent": 10, "for": "1m", "timeout": "0m"}}, "the duration must be longer than 0 s"),
        ({"smoke_test": {"request": {}, "timeout": "0s"}}, "the duration must be longer than 0 s"),
        (
            {"checks": [{"metric": "requests", "max": 1, "window": "0s"}]},
            "the duration must be longer than 0 s",
        ),
        ({"no_traffic": "probe", "min_requests": 5, "steps": LASTING}, "add `smoke_test`"),
        ({"probe": {"rps": 2}}, "`probe` does nothing with `no_traffic: hold`"),
        ({"no_traffic": "probe", "smoke_test": {"request": {}}, "probe": {"rps": 0}}, "greater than 0"),
        ({"no_traffic": "probe", "smoke_test": {"request": {}}, "probe": {"rps": 2}}, ""),
        ({"no_traffic": "wait"}, "'hold', 'proceed' or 'probe'"),
        (
            {"checks": [{"metric": "error_rate", "max": 5}]},
            "write a number from 0 to 1, such as 0.01 for 1 %",
        ),
        ({"checks": [{"metric": "error_rate", "max": 1.5}]}, "write a number from 0 to 1"),
        ({"checks": [{"metric": "error_rate", "max": -0.5}]}, "write a number from 0 to 1"),
        ({"checks": [{"metric": "error_rate", "max": 0}], "steps": LASTING}, ""),
        ({"checks": [{"metric": "error_rate", "max": 1.5, "of": "stable"}], "steps": LASTING}, ""),
        ({"checks": [{"metric": "requests", "max": -1}]}, "write a number from 0 [type"),
        ({"checks": [{"metric": "requests", "min": -1}]}, "`min` of requests is -1"),
        (
            {"checks": [{"metric": "requests", "max": 2, "of": "stable", "plus": -1}]},
            "`plus` of requests is -1",
        ),
        ({"checks": [{"metric": "requests", "max": "${model.tags.most}"}], "steps": LASTING}, ""),
        ({"checks": [{"metric": "requests", "max": 1, "mx": 2}]}, "Extra inputs are not permitted"),
        ({"keep": "1"}, "valid integer"),
        ({"checks": [{"metric": "error_rate", "max": "1%"}]}, "write a number without quotes"),
        ({"checks": [{"metric": "latency_p95", "max": 250}]}, "has no unit"),
        (
            {
                "checks": [{"metric": "latency_p95", "max": 1.2, "of": "stable", "plus": "10ms"}],
                "steps": LASTING,
            },
            "",
        ),
        ({"checks": [{"metric": "requests", "min": 1, "plus": 2}]}, "write `of: stable`"),
        ({"smoke_test": {"request": {}, "json": {"a[": 1}}}, "is not a path into JSON"),
        ({"smoke_test": {"request": {}, "json": {"a": {"gtt": 1}}}}, "unknown operator 'gtt'"),
        ({"smoke_test": {"request": {}, "json": {"a": {}}}}, "the mapping is empty"),
        ({"on_failure": "retry"}, "'rollback' or 'hold'"),
    ],
)
def test_what_people_write_is_checked(written: dict[str, Any], says: str) -> None:
    if not says:
        assert Rollout.model_validate(written)
        return
    with pytest.raises(ValidationError, match=says.replace("[", r"\[")):
        Rollout.model_validate(written)


def test_what_is_left_out_of_a_rollout_is_careful() -> None:
    rollout = Rollout.model_validate({"smoke_test": {"request": {}}})
    assert [(step.percent, step.for_) for step in rollout.steps] == [(100, 0.0)]
    assert rollout.smoke_test is not None
    assert rollout.smoke_test.status == 200
    assert (rollout.checks, rollout.needed, rollout.failures) == ([], 0, 0)
    assert (rollout.no_traffic, rollout.on_failure, rollout.keep) == ("hold", "rollback", 1)
    assert parameters.Probe().rps == 1.0


def test_what_azure_does_may_take_half_an_hour_and_a_deployment_three() -> None:
    limits = parameters.Timeouts()
    assert (limits.endpoint, limits.deployment, limits.traffic) == (1800.0, 10_800.0, 1800.0)


@pytest.mark.parametrize(
    ("path", "found"),
    [("a.b[1].c", 7), ("$.a.b[1].c", 7), ("a.b[5].c", None), ("a.x.y", None), ("", "all"), ("$", "all")],
)
def test_paths_lead_into_json(path: str, found: object) -> None:
    document = {"a": {"b": [0, {"c": 7}]}}
    assert value_at(document, path_parts(path)) == (document if found == "all" else found)


def test_several_faults_are_told_at_once() -> None:
    told = list(find_unexpected_values({"score": 2}, {"score": {"lte": 1, "gte": 0}, "label": ["a", "b"]}))
    assert told == ["score is 2, not lte 1, gte 0", "label is missing, not ['a', 'b']"]


@given(path=st.text(max_size=30))
def test_no_text_for_a_path_raises_anything_but_a_value_error(path: str) -> None:
    with suppress(ValueError):
        value_at({"a": [1]}, path_parts(path))


def test_a_time_that_no_timer_can_keep_is_no_time() -> None:
    asked = {"steps": [{"percent": 10, "for": "0.0001ms"}], "min_requests": 5}
    with pytest.raises(ValidationError, match="`min_requests` would never be used"):
        Rollout.model_validate(asked)
    with pytest.raises(ValidationError, match="the duration must be longer than 0 s"):
        Rollout.model_validate({"steps": [{"percent": 10, "for": "5m", "timeout": "0.0001ms"}]})
