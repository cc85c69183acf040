"""Every call of Azure in a whole rollout, struck in every way: the endpoint never suffers.

The real orchestrator and the real action, on a stand-in for Azure with a virtual clock. After every
write the world checks its invariant (see `World.must_hold`); at the end stands exactly the new map, or
exactly the old one.

Each call is struck in each way, except where another strike does the same: a read whose answer is lost is a
read that is refused, and an activity that runs again reads everything again, whichever read was struck.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlevents.actions.deploy_model.action import DeployModel
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.events import Event
from mlevents.orchestration.messages import Response
from mlevents.orchestration.step_plan import StepOrchestration
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.fake_workspace import TOPIC
from tests.unit.actions.deploy_model.rollout_world import Trouble, World, serving

OLD = {"net-1": 70, "net-2": 30}
NEW = {"net-9": 100}
PASSING = ("refused", "throttled", "lost", "killed", "twice", "absent", "empty", "conflict", "scaling", "nan")
KINDS = (*PASSING, "forbidden", "operation")
EFFECTS = ("put", "delete", "score")
STRIKES = {
    "lost": EFFECTS,
    "absent": ("read endpoint", "read deployment"),
    "empty": ("list",),
    "nan": ("read metrics",),
    "operation": ("put", "delete"),
    "conflict": ("put", "delete", "read deployment"),
    "scaling": ("put", "delete", "read deployment"),
}
"""The calls that a kind of trouble does something to; any call where it is left out."""
PLAN = {
    "smoke_test": {"request": {"input_data": [[1]]}},
    "mirror": {"percent": 10, "for": "3m"},
    "steps": [{"percent": 10, "for": "3m"}, {"percent": 50, "for": "3m"}],
    "checks": [
        {"metric": "error_rate", "max": 0.02, "window": "2m"},
        {"metric": "latency_p95", "max": 1.5, "of": "stable"},
    ],
    "min_requests": 5,
    "keep": 1,
}


ORCHESTRATION = DeployModel.orchestration or StepOrchestration("", "", "", "")


def call(plan: dict[str, Any] | None = PLAN, version: str = "9", **gates: Any) -> str:
    """The call of a `deploy_model` step about a version of `net`, as JSON text."""
    names = {"model": {"name": "net", "version": version, "tags": {}, "properties": {}}}
    event = Event(
        "e1", "model.registered", ("model.registered",), None, f"models/net:{version}", TOPIC, names
    )
    response = Response("rule-1.abc", "rule-1", event, gates=gates)
    step = {
        "id": "deploy",
        "uses": "deploy_model",
        "with": {"template": "small.yaml", **({"rollout": plan} if plan else {})},
        "if": None,
        "retry": {"attempts": 5, "first": 5.0, "max": 300.0},
        "timeout": None,
        "orchestration": ORCHESTRATION.to_json(),
    }
    return json.dumps(
        {"response": response.to_json(), "step": step, "verb": "", "progress": {}, "results": {}}
    )


def spoilt_at(share: int) -> Callable[[World], None]:
    """The new version's model turns bad once it has this share of the traffic."""

    def spoil(at: World) -> None:
        if at.live.get("net-9") == share:
            at.placed["net-9"].error_rate = 0.5

    return spoil


SCENES: dict[str, Callable[[], dict[str, Any]]] = {
    "good": dict,
    "bad at the mirror": lambda: {"errors": {"9": 0.5}},
    "bad at 50 %": lambda: {"meddling": spoilt_at(50)},
}


def world(scene: str, trouble: Trouble | None = None) -> World:
    return serving(OLD, trouble=trouble or Trouble(), **SCENES[scene]())


def ended(at: World, text: str | None = None) -> dict[str, Any]:
    """The answer of a rollout in this world, after checking what must be so at any end."""
    answer: dict[str, Any] = json.loads(Durable(at).run(roll_out_model, text or call()))
    at.advance(600.0)
    assert at.endpoint_state is not None
    at.must_hold()
    final = {name: share for name, share in at.endpoint_state.traffic.items() if share}
    assert final == (NEW if answer["kind"] == "done" else OLD), (answer, final)
    assert at.live == at.endpoint_state.traffic
    assert not any(at.endpoint_state.mirror.values())
    assert not [name for name in at.writes if name.startswith("put endpoint")], "it was there before"
    return answer


@cache
def calls_of(scene: str) -> tuple[str, ...]:
    at = world(scene)
    assert ended(at)["kind"] == ("done" if scene == "good" else "failed")
    return tuple(at.calls)


@cache
def numbers_of(scene: str, kind: str) -> tuple[int, ...]:
    """The calls to strike in this way, counted from 1."""
    calm = Durable(world(scene))
    calm.run(roll_out_model, call())
    struck = [n for n, name in enumerate(calls_of(scene), 1) if name.startswith(STRIKES.get(kind, ""))]
    if kind in ("killed", "twice"):
        effects = EFFECTS if kind == "killed" else ()
        first = set(calm.first_calls)
        struck = [n for n in struck if n in first or calls_of(scene)[n - 1].startswith(effects)]
    return tuple(struck)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scene", SCENES)
def test_no_single_trouble_leaves_anything_but_the_old_or_the_new_map(scene: str, kind: str) -> None:
    struck = numbers_of(scene, kind)
    assert struck or kind == "empty"
    for number in struck:
        trouble = Trouble(number, kind)
        at = world(scene, trouble)
        answer = ended(at)
        assert trouble.struck
        assert at.endpoint_state
        assert at.endpoint_state.provisioning_state == "Succeeded", "the next one can be deployed"
        if kind in PASSING:
            assert answer["kind"] == ("done" if scene == "good" else "failed"), (trouble, answer)


def changed(state: str, seconds: float, then: str) -> Callable[[World], None]:
    """The new version turns bad at 50 % while someone changes an old deployment."""
    done: list[bool] = []

    def meddle(at: World) -> None:
        if at.live.get("net-9") == 50 and not done:
            done.append(True)
            at.placed["net-9"].error_rate = 0.5
            at.colleague("net-1", state, seconds, then)
            at.placed["net-1"].refused = False

    return meddle


# 400 s is longer than a round of the restoring (300 s), so a second round begins.
UNKIND: dict[str, tuple[str, float, str]] = {
    "an old one scales": ("Scaling", 400.0, "Succeeded"),
    "an old one fails": ("Updating", 30.0, "Failed"),
}


@pytest.mark.parametrize("kind", ["refused", "lost", "killed", "twice", "absent", "empty", "conflict"])
@pytest.mark.parametrize("scene", UNKIND)
def test_no_single_trouble_on_the_way_back_keeps_traffic_on_a_bad_version(scene: str, kind: str) -> None:
    calm = serving(OLD, meddling=changed(*UNKIND[scene]))
    assert ended(calm)["kind"] == "failed"
    half = max(n for n, name in enumerate(calm.calls, 1) if "'net-9': 50" in name)
    back = [n for n, name in enumerate(calm.calls, 1) if name.startswith(STRIKES.get(kind, ""))]
    for number in [one for one in back if one > half]:
        at = serving(OLD, trouble=Trouble(number, kind), meddling=changed(*UNKIND[scene]))
        assert ended(at)["kind"] == "failed", (scene, at.trouble)


@settings(max_examples=250, deadline=None)
@given(
    scene=st.sampled_from(list(SCENES)),
    more=st.dictionaries(st.integers(1, 110), st.sampled_from(KINDS), max_size=12),
)
def test_no_row_of_troubles_leaves_anything_but_the_old_or_the_new_map(
    scene: str, more: dict[int, str]
) -> None:
    assert ended(world(scene, Trouble(more=more)))["kind"] in ("done", "failed")


@pytest.mark.parametrize("scene", SCENES)
def test_a_redeploy_at_every_moment_changes_nothing(scene: str) -> None:
    calm, restless = world(scene), world(scene)
    expected = Durable(calm).run(roll_out_model, call())
    assert Durable(restless, restless=True).run(roll_out_model, call()) == expected
    assert restless.writes == calm.writes
