"""What is recorded: each way that an orchestrator can take, in a world where it takes that way."""

import json
from collections.abc import Callable
from typing import Any

from durabletask.entities import EntityInstanceId

from mlevents.orchestration.function_names import (
    BEGIN_RERUN,
    EVENT_FLOOD,
    RELEASE_RESPONSES,
    REPORT_FLOOD,
    RESPOND_TO_EVENT,
)
from mlevents.orchestration.messages import Call
from mlevents.orchestration.versions import CURRENT
from mlevents.responses.flood import event_mark, write_marks
from mlevents.responses.step_activity import attempt_call
from tests.histories.recorder import Recorder
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import OLD, PLAN, SCENES, call

CANARY = {**PLAN, "mirror": None, "smoke_test": None}
RESPONSE = "rule-1.abc"
ROLLOUT = f"{RESPONSE}.deploy"


def in_world(world: World, **more: Any) -> Recorder:
    """Orchestrations whose activities are performed in this world; `notify` always succeeds."""

    def perform(asked: dict[str, Any]) -> dict[str, Any]:
        world.advance(0.2)
        if asked["step"]["uses"] == "notify":
            return {"kind": "done", "detail": "notified", "result": {}}
        call = Call.from_json(asked)
        return attempt_call(call, world.settings, lambda *_: world).to_json()  # type: ignore[arg-type]

    return Recorder(perform, world.advance, **more)


def step(name: str, uses: str = "notify", **more: Any) -> dict[str, Any]:
    retry = {"attempts": 2, "first": 5.0, "max": 60.0}
    known = {"id": name, "uses": uses, "with": {}, "if": None, "retry": retry, "timeout": None}
    return {**known, **more}


def response(*steps: dict[str, Any], **changes: Any) -> str:
    """A response with these steps, and one of `on_failure`, as JSON text."""
    known = json.loads(call())["response"]
    failing = {"steps": list(steps), "on_failure": [step("alarm")]}
    return json.dumps({**known, "id": RESPONSE, **failing, **changes})


def deploying(plan: Any = CANARY) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call(plan))["step"]
    return found


def respond(world: World, text: str, **more: Any) -> Recorder:
    recorder = in_world(world, **more)
    recorder.run(RESPOND_TO_EVENT, RESPONSE, text)
    return recorder


def roll_out(world: World, text: str, version: str = CURRENT, **more: Any) -> Recorder:
    recorder = in_world(world, **more)
    recorder.run("RollOutModel", ROLLOUT, text, version)
    return recorder


def taken_over(recorder: Recorder, statuses: dict[str, str]) -> Recorder:
    """The same world and its entities for others, in which the first rollout has ended as these say."""
    recorder.statuses |= statuses
    recorder.recorded.clear()
    return recorder


def left_behind() -> Recorder:
    """A world in which a rollout ended in the middle, and nobody has put its traffic back.

    It is one of the version before: today's calls no entity once the traffic moves.
    """
    world = serving(OLD, **SCENES["good"]())
    recorder = roll_out(world, call(CANARY), "2", loses=lambda number: number == 5)
    recorder.loses = lambda _: False
    world.advance(60.0)
    return taken_over(recorder, {ROLLOUT: "FAILED"})


def waiting() -> Recorder:
    """A rollout that waits for another one, which ends after a while without a word."""
    world = serving(OLD)
    recorder = roll_out(world, call(CANARY), "2", loses=lambda number: number == 2)
    recorder.loses = lambda _: False
    taken_over(recorder, {ROLLOUT: "RUNNING"})
    advance, waited = recorder.advance, []

    def ending(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 4:
            recorder.statuses[ROLLOUT] = "TERMINATED"
        advance(seconds)

    recorder.advance = ending
    recorder.run("RollOutModel", f"{ROLLOUT}.1-2", call(CANARY))
    return recorder


def restored() -> Recorder:
    recorder = left_behind()
    request = {"call": json.loads(call(CANARY)), "holders": [ROLLOUT]}
    recorder.run("RestoreTraffic", f"{ROLLOUT}.restore", json.dumps(request))
    return recorder


def followed() -> Recorder:
    recorder = left_behind()
    recorder.run("RollOutModel", f"{ROLLOUT}.1-2", call(CANARY))
    return recorder


def settled() -> Recorder:
    recorder = left_behind()
    unfinished = [{"holders": [ROLLOUT], "call": json.loads(call(CANARY))}]
    text = response(
        step("one"), status="failed", because="ended", alert=True, attempt=4, unfinished=unfinished
    )
    recorder.run(RESPOND_TO_EVENT, RESPONSE, text)
    return recorder


def flooded() -> Recorder:
    """Events in quarantine: the first, two more in its hour, none in the next."""
    world = serving(OLD)
    recorder = in_world(world)
    flood = {"key": FLOOD, "began": "2026-01-01T00:00:00+00:00"}
    recorder.entities[str(EntityInstanceId(EVENT_FLOOD, FLOOD))] = write_marks(map(event_mark, "abc"))
    text = response(status="quarantined", because="no JSON", alert=True, flood=flood)
    recorder.run(REPORT_FLOOD, RESPONSE, text)
    return recorder


def rerun() -> Recorder:
    """A response that an operator has run again."""
    recorder = in_world(serving(OLD))
    recorder.run(BEGIN_RERUN, f"{RESPONSE}.rerun-1", response(step("one"), reruns=1))
    return recorder


def released() -> Recorder:
    """The release of a response that is waited for, and then of nothing more."""
    rounds = [{"acting": {"rule-1": {"id": RESPONSE}}, "pause": 0.5}, {"done": True}]
    recorder = in_world(serving(OLD), rounds=rounds)
    recorder.run(RELEASE_RESPONSES, RESPONSE, "{}")
    return recorder


def intervene(verb: str, at: int, **more: Any) -> Callable[[str, int], list[dict[str, Any]]]:
    """An operator's verb, which an orchestration gets after this turn."""
    said = {"id": verb, "verb": verb, "by": "ann", "reason": "why", "time": "2026-01-01T00:00:00Z", **more}
    return lambda _, number: [said] if number == at else []


HELD = {"hold": "hold: by ann: why"}
FLOOD = "quarantine.1"
ORDER = {"order": {"key": "net", "by": "9"}}
FORBIDDEN = step("other", uses="run_data_factory_pipeline", **{"with": {"connection": "x"}})
RECORDINGS: dict[str, Callable[[], Recorder]] = {
    "response-done": lambda: respond(serving(OLD), response(step("one"), step("two"))),
    "response-failed": lambda: respond(serving(OLD), response(step("one"), FORBIDDEN)),
    "response-ordered": lambda: respond(serving(OLD), response(step("one"), gates=ORDER)),
    "response-quarantined": lambda: respond(serving(OLD), response(status="quarantined", alert=True)),
    "response-shadow": lambda: respond(serving(OLD), response(step("one"), status="shadow")),
    "response-settled": settled,
    "response-held": lambda: respond(serving(OLD), response(step("one")), holds=[HELD, HELD, {}]),
    "response-released": lambda: respond(
        serving(OLD),
        response(step("one")),
        holds=[HELD, {"hold": "hold: released", "released": True}],
        raises=intervene("released", 3),
    ),
    "response-held-cancelled": lambda: respond(
        serving(OLD), response(step("one")), holds=[HELD], raises=intervene("cancel", 4)
    ),
    "response-cancelled": lambda: respond(
        serving(OLD), response(step("one"), step("two")), raises=intervene("cancel", 2)
    ),
    "rollout-cancelled": lambda: roll_out(serving(OLD), call(CANARY), raises=intervene("cancel", 15)),
    "rollout-aborted": lambda: roll_out(serving(OLD), call(CANARY), raises=intervene("abort", 15)),
    "rollout-promoted": lambda: roll_out(
        serving(OLD), call(CANARY), raises=intervene("promote", 15, phase=1)
    ),
    "released": released,
    "response": rerun,
    "deployed": lambda: respond(serving(OLD), response(deploying(), step("tell"), gates=ORDER)),
    "deployed-badly": lambda: respond(serving(OLD, errors={"9": 0.5}), response(deploying())),
    "deployed-held": lambda: respond(serving(OLD), response(deploying()), holds=[HELD, HELD, {}]),
    "deployed-lost": lambda: respond(
        serving(OLD), response(deploying()), loses=lambda number: number in (1, 2)
    ),
    "deployed-broken": lambda: respond(
        serving(OLD), response(deploying()), loses=lambda number: number in (1, 2, 3)
    ),
    "rollout-whole": lambda: roll_out(serving(OLD), call(PLAN)),
    "rollout-plain": lambda: roll_out(World(), call(None)),
    "rollout-bad-at-50": lambda: roll_out(serving(OLD, **SCENES["bad at 50 %"]()), call(PLAN)),
    "rollout-waiting": waiting,
    "rollout-following": followed,
    "restored": restored,
    "flooded": flooded,
}
