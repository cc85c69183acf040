"""Azure compares the names of endpoints and deployments without case: recasing one changes no decision."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mlevents.actions.deploy_model.analysis import judge_phase
from mlevents.actions.deploy_model.parameters import Rollout
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.actions.deploy_model.traffic_map import (
    DeploymentNames,
    is_same_traffic,
    keep_shares,
    other_holders,
    scale_shares,
    share_of,
    shift_share,
)
from mlevents.actions.deploy_model.traffic_plan import is_planned_traffic, plan_phases
from mlevents.canonical import fold
from mlevents.services.metrics import Minute
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import PLAN, SCENES, call

NAMES = ("net-1", "Net-2", "net-9", "shadow")
names = st.sampled_from(NAMES)
traffics = st.dictionaries(names, st.integers(1, 9), min_size=1, max_size=4).map(
    lambda one: scale_shares(one, 100)
)
Recase = Callable[[str], str]


@st.composite
def recasings(draw: st.DrawFn) -> Recase:
    """A function that writes names in an ever different case."""
    letters: Iterator[bool] = cycle(draw(st.lists(st.booleans(), min_size=1, max_size=17)))
    return lambda name: "".join(one.upper() if next(letters) else one.lower() for one in name)


def recased(traffic: dict[str, int], recase: Recase) -> dict[str, int]:
    return {recase(name): share for name, share in traffic.items()}


def folded(traffic: dict[str, int]) -> dict[str, int]:
    return {fold(name): share for name, share in traffic.items()}


@given(traffic=traffics, able=st.sets(names), name=names, percent=st.integers(0, 100), recase=recasings())
def test_a_map_means_the_same_however_its_names_are_cased(
    traffic: dict[str, int], able: set[str], name: str, percent: int, recase: Recase
) -> None:
    other = recased(traffic, recase)
    assert is_same_traffic(traffic, other)
    assert share_of(traffic, name) == share_of(other, recase(name))
    assert folded(other_holders(traffic, name)) == folded(other_holders(other, recase(name)))
    assert folded(keep_shares(traffic, able)) == folded(keep_shares(other, {recase(one) for one in able}))
    assert folded(shift_share(traffic, name, percent)) == folded(shift_share(other, recase(name), percent))
    assert all((recase(one) in DeploymentNames(able)) == (one in able) for one in NAMES)


@given(traffic=traffics, mirror=st.sampled_from([{}, {"shadow": 20}, {"Net-9": 10}]), recase=recasings())
def test_the_plan_is_the_same_however_names_are_cased(
    traffic: dict[str, int], mirror: dict[str, int], recase: Recase
) -> None:
    asked = Rollout.model_validate(PLAN)
    plan = plan_phases(asked, "net-9", traffic, mirror)
    other = plan_phases(asked, recase("net-9"), recased(traffic, recase), recased(mirror, recase))
    assert [phase.name for phase in plan] == [phase.name for phase in other]
    for one, two in zip(plan, other, strict=True):
        if one.verb == "shift_traffic":
            assert is_same_traffic(one.traffic, two.traffic)
            assert is_same_traffic(one.mirror, two.mirror)
            assert is_planned_traffic(plan, two.traffic, two.mirror)


@given(recase=recasings(), errors=st.integers(0, 50))
def test_metrics_are_read_however_names_are_cased(recase: Recase, errors: int) -> None:
    checks = [{"metric": "error_rate", "max": 2.0, "of": "stable"}]
    asked = Rollout.model_validate({"checks": checks, "steps": [{"percent": 10, "for": "5m"}]})
    found = {"net-1": (Minute(60.0, 90, 1),), "net-9": (Minute(60.0, 50, errors),)}
    assert judge_phase(asked, found, recase("net-9"), [recase("net-1")]) == judge_phase(
        asked, found, "net-9", ["net-1"]
    )


@settings(max_examples=25, deadline=None)
@given(
    scene=st.sampled_from(list(SCENES)), recase=recasings(), endpoint=st.sampled_from(["net", "NET", "Net"])
)
def test_a_whole_rollout_takes_the_same_way_however_names_are_cased(
    scene: str, recase: Recase, endpoint: str
) -> None:
    def way(**more: Any) -> tuple[str, list[str], set[str]]:
        at: World = serving({"Net-1": 70, "net-2": 30, "Net-3": 0}, **SCENES[scene](), **more)
        text = json.loads(call(order={"key": "net", "by": "9"}))
        text["step"]["with"]["endpoint"] = endpoint if more else "net"
        answer = json.loads(Durable(at).run(roll_out_model, json.dumps(text)))
        return answer["kind"], [name.lower() for name in at.writes], set(at.placed)

    assert way(recase=recase) == way()
