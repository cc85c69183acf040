"""Any interleaving of rollouts of one endpoint with faults, people and dying workers keeps what is promised.

The real orchestrators, entities and actions in Microsoft's executor, on a stand-in for Azure with a virtual
clock. With MLEVENTS_FAULTS=all there are many more examples, and other ones each time.
"""

import json
import os
from contextlib import suppress

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mlevents.errors import TransientError
from tests.faults.rollout_interleaving import Course, Interleaving
from tests.histories.scenes import deploying, response, step
from tests.unit.actions.deploy_model.fake_workspace import TOPIC
from tests.unit.actions.deploy_model.rollout_world import BUSY, RATE, serving

OLD = {"net-1": 70, "net-2": 30, "net-3": 0}
PLAN = {
    "steps": [{"percent": 10, "for": "3m"}, {"percent": 50, "for": "3m"}],
    "checks": [{"metric": "error_rate", "max": 0.02, "window": "2m"}],
    "min_requests": 5,
    "keep": 1,
}
FAULTS = (
    *("refused", "throttled", "lost", "killed", "twice", "absent", "empty", "conflict", "scaling", "nan"),
    *("forbidden", "operation"),
)
ALL = os.environ.get("MLEVENTS_FAULTS") == "all"
MOST_RESPONSES, MOST_STEPS = 4, 3000
FINAL = {"done", "failed", "stopped"}


class RolloutMachine(RuleBasedStateMachine):
    """Registrations, metrics, faults, colleagues, operators and time, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = serving(OLD)
        self.run = Interleaving(self.world)
        self.lost: set[int] = set()
        self.run.loses = lambda number: number in self.lost
        self.failed: set[str] = set()

    @initialize(second=st.booleans())
    def register_one_or_two(self, second: bool) -> None:
        for _ in range(1 + second):
            self.register(0.0, ordered=True)

    @rule(error_rate=st.sampled_from([0.0, 0.0, 0.5]), ordered=st.booleans())
    @precondition(lambda self: len(self.run.courses) < MOST_RESPONSES)
    def register(self, error_rate: float, ordered: bool) -> None:
        version = str(9 + len(self.run.courses))
        self.world.errors[version] = error_rate
        names = {"model": {"name": "net", "version": version, "tags": {}, "properties": {}}}
        event = {
            "id": f"e{version}",
            "type": "model.registered",
            "kinds": ["model.registered"],
            "time": None,
            "subject": f"models/net:{version}",
            "topic": TOPIC,
            "names": names,
        }
        gates = {"order": {"key": "net", "by": version}} if ordered else {}
        id = f"rule-1.v{version}"
        text = response(deploying(PLAN), step("tell"), id=id, event=event, gates=gates)
        self.run.begin(id, version, text)

    @rule(which=st.integers(0, MOST_RESPONSES), steps=st.integers(5, 60))
    @precondition(lambda self: self.run.running())
    def proceed(self, which: int, steps: int) -> None:
        for _ in range(steps):
            if not (running := self.run.running()):
                return
            self.advance(running[which % len(running)])

    def advance(self, course: Course) -> None:
        self.run.proceed(course)
        self.check_ended(course)
        self.hold_promises()

    def check_ended(self, course: Course) -> None:
        if not course.ended:
            return
        assert course.ends[-1] in FINAL, course.ends
        assert sum(one in FINAL for one in course.ends) == 1, "exactly one outcome"
        if course.ends[-1] == "failed":
            self.failed.add(f"net-{course.version}")

    @rule(kind=st.sampled_from(FAULTS), after=st.integers(1, 4))
    def strike_a_call(self, kind: str, after: int) -> None:
        self.world.trouble.more = {**self.world.trouble.more, len(self.world.calls) + after: kind}

    @rule(after=st.integers(1, 3))
    @precondition(lambda self: len(self.lost) < 3)
    def lose_an_answer_of_an_entity(self, after: int) -> None:
        self.lost.add(self.run.entity_calls + after)

    @rule(error_rate=st.sampled_from([0.0, 0.5]), which=st.integers(0, 5))
    def change_a_model(self, error_rate: float, which: int) -> None:
        names = [name for name in self.world.placed if name not in OLD]
        if names:
            self.world.placed[names[which % len(names)]].error_rate = error_rate

    @rule(metrics=st.sampled_from(["good", "good", "no requests", "no metrics"]))
    def change_the_metrics(self, metrics: str) -> None:
        self.world.rate = 0.0 if metrics == "no requests" else RATE
        self.world.metrics_down = metrics == "no metrics"

    @rule(name=st.sampled_from(sorted(OLD)))
    def move_traffic_as_a_colleague(self, name: str) -> None:
        """Azure refuses it while the endpoint changes."""
        placed = self.world.placed.get(name)
        if placed and placed.able:
            with suppress(TransientError):
                self.world._free()
                self.world.put_maps({name: 100}, {})

    @rule()
    def change_the_endpoint_as_a_colleague(self) -> None:
        state = self.world.endpoint_state
        assert state
        with suppress(TransientError):
            self.world._free()
            self.world.put_maps(dict(state.traffic), dict(state.mirror))

    @rule(name=st.sampled_from(sorted(OLD)))
    def delete_a_deployment_as_a_colleague(self, name: str) -> None:
        """Azure refuses it while the deployment has traffic."""
        state = self.world.endpoint_state
        assert state
        if name in self.world.placed and not state.traffic.get(name) and not self.world.live.get(name):
            with suppress(TransientError):
                self.world._free()
                del self.world.placed[name]

    @rule(
        verb=st.sampled_from(["promote", "promote", "abort", "cancel"]),
        which=st.integers(0, MOST_RESPONSES),
        phase=st.integers(0, 2),
    )
    @precondition(lambda self: self.run.running())
    def ask_as_an_operator(self, verb: str, which: int, phase: int) -> None:
        running = self.run.running()
        course = running[which % len(running)]
        said = {"by": "ann", "reason": "why", "time": "2026-01-01T00:00:00Z", "phase": phase}
        course.letters.append({"id": f"{verb}-{len(course.letters)}", "verb": verb, **said})

    @rule(minutes=st.integers(1, 30))
    def let_time_pass(self, minutes: int) -> None:
        self.world.advance(minutes * 60.0)

    @invariant()
    def hold_promises(self) -> None:
        self.world.must_hold()
        state = self.world.endpoint_state
        assert state
        for name in self.failed:
            assert not state.traffic.get(name), f"{name} failed, and has traffic: {state.traffic}"
            assert not state.mirror.get(name), f"{name} failed, and gets copies: {state.mirror}"

    def teardown(self) -> None:
        """Everything comes to its end, and nothing is left."""
        for _ in range(MOST_STEPS):
            if not (running := self.run.running()):
                break
            self.advance(running[0])
        assert not self.run.running(), "it does not end"
        self.world.advance(3600.0)
        self.hold_promises()
        state = self.world.endpoint_state
        assert state
        assert state.provisioning_state not in BUSY
        assert self.world.live == state.traffic
        assert not any(state.mirror.values()), "nothing is mirrored any more"
        for course in self.run.courses:
            count = course.performed.count
            assert count("tell") == (course.ends[-1] == "done"), course.performed
            assert count("on_failure.alarm") <= 1
            assert course.ends[-1] != "failed" or count("on_failure.alarm") == 1
        self.check_locks()

    def check_locks(self) -> None:
        for name, text in self.run.entities.items():
            state = json.loads(text) if isinstance(text, str) else text
            if "endpointlease" in name:
                assert (state["holder"], state["waiting"]) == (None, {}), state


RolloutMachine.TestCase.settings = settings(
    max_examples=500 if ALL else 9,
    stateful_step_count=40,
    deadline=None,
    derandomize=not ALL,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if ALL else (Phase.generate,),
)
TestRollouts = RolloutMachine.TestCase
