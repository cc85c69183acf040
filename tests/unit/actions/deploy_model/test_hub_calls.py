"""How many calls of the task hub a rollout makes: each is several requests of storage, see docs/costs.md."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from mlevents.orchestration.answer import AnswerKind
from mlevents.orchestration.messages import Call
from mlevents.responses.step_activity import attempt_call
from tests.unit.actions.deploy_model.durable_stand_in import Durable
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import call

CANARY = {
    "steps": [{"percent": 10, "for": "10m"}, {"percent": 100}],
    "checks": [{"metric": "error_rate", "max": 0.02}],
}


def calls_of(world: World, plan: dict[str, Any] | None = CANARY, **gates: Any) -> tuple[int, ...]:
    """Calls of entities, of activities, and timers of a rollout that is done."""
    durable = Durable(world)
    assert json.loads(durable.run(roll_out_model, call(plan, **gates)))["kind"] == "done"
    made = Counter(task[0] for task, _ in durable.history)
    return made["entity"], made["activity"] + made["find"], made["timer"]


def test_a_canary_asks_for_its_lease_and_then_performs_verbs_alone() -> None:
    """Locate; create and 4 looks; move; 6 looks at the metrics; move: each move is waited for at once."""
    assert calls_of(serving({"net-1": 100})) == (2, 1 + 5 + 1 + 6 + 1, 4 + 6)


def test_an_attempt_waits_itself_for_15_seconds_at_most() -> None:
    at = serving({"net-1": 100})
    assert at.endpoint_state
    at.endpoint_state = replace(at.endpoint_state, provisioning_state="Updating")
    asked = Call.from_json({**json.loads(call(CANARY)), "verb": "shift_traffic"})
    answer = attempt_call(asked, at.settings, lambda *_: at)  # type: ignore[arg-type]
    assert (answer.kind, answer.waited) == (AnswerKind.PENDING, 15.0)


def test_the_gates_of_a_rollout_are_one_activity_more() -> None:
    bare = calls_of(serving({"net-1": 100}))
    ordered = calls_of(serving({"net-1": 100}), order={"key": "net", "by": "9"})
    assert [more - less for more, less in zip(ordered, bare, strict=True)] == [0, 1, 0]


def test_a_deployment_to_delete_costs_its_deletion() -> None:
    bare, full = calls_of(serving({"net-1": 100})), calls_of(serving({"net-1": 60, "net-2": 40}))
    assert full[0] == bare[0], "the record that the rollout is complete is kept in any case"
    assert full[1] - bare[1] <= 3
