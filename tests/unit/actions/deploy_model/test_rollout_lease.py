"""The endpoint's lease in whole rollouts: whoever ends, however and whenever, nothing stays behind."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mlevents.actions.deploy_model.restore_traffic_orchestrator import restore_traffic
from mlevents.actions.deploy_model.roll_out_model_orchestrator import roll_out_model
from tests.unit.actions.deploy_model.durable_stand_in import Durable, Task, failure
from tests.unit.actions.deploy_model.rollout_world import World, serving
from tests.unit.actions.deploy_model.test_rollout_exhaustive import NEW, OLD, PLAN, call

SHORT = {**PLAN, "mirror": None, "smoke_test": None, "steps": [{"percent": 10, "for": "3m"}]}
FIRST, SECOND = "rule-1.abc.deploy", "rule-1.def.deploy"
LOCK = "@endpointlease@"
ALONE = {"net-1": 100}
"""The traffic before a rollout that has nothing to delete, and so completes in one call of its lease."""
STARTS = pytest.mark.parametrize("old", [OLD, ALONE], ids=["deletes", "deletes nothing"])


def maps(at: World) -> dict[str, int]:
    assert at.endpoint_state
    return {name: share for name, share in at.endpoint_state.traffic.items() if share}


def lease(entities: dict[str, Any]) -> dict[str, Any]:
    """The state of the one endpoint's entity."""
    [text] = entities.values()
    return json.loads(text)


def recovery() -> str:
    """The request to recover what the first rollout left, as JSON text."""
    return json.dumps({"call": json.loads(call(SHORT)), "holders": [FIRST]})


def before_task(number: int) -> Callable[[Task], bool]:
    """True at the task with this number, counted from 0."""
    seen = iter(range(100_000))
    return lambda _: next(seen) == number


def when(share: int, at: World) -> Callable[[Task], bool]:
    """True once the new deployment has this share."""
    return lambda _: at.live.get("net-9") == share


def terminated(at: World, stop: Callable[[Task], bool], text: str | None = None) -> Durable:
    """A rollout that somebody terminates; its entity is in `entities`."""
    durable = Durable(at)
    durable.stop_before = stop
    assert durable.run(roll_out_model, text or call(SHORT)) is None
    at.advance(60.0)
    return durable


def another(first: Durable, instance_id: str) -> Durable:
    """An orchestration in the same world, that can see how the first one ended."""
    durable = Durable(first.world, first.entities, instance_id=instance_id)
    durable.instances = first.instances
    return durable


def number_of_tasks(old: dict[str, int]) -> int:
    durable = Durable(serving(old))
    durable.run(roll_out_model, call(SHORT))
    return len(durable.history)


def must_be_free(entities: dict[str, Any]) -> None:
    for text in entities.values():
        state = json.loads(text)
        assert (state["holder"], state["waiting"]) == (None, {})
        assert state["record"] is None or "answer" in state["record"], "a record that says what to put back"


@STARTS
def test_a_rollout_that_is_terminated_at_any_moment_has_its_traffic_restored_and_its_lease_freed(
    old: dict[str, int],
) -> None:
    for number in range(number_of_tasks(old)):
        first = terminated(serving(old), before_task(number))
        record = lease(first.entities)["record"] if first.entities else None
        done = maps(first.world) == NEW and (record is None or "answer" in record)
        again = another(first, f"{FIRST}.restore")
        answer = json.loads(again.run(restore_traffic, recovery()))
        first.world.advance(600.0)
        assert answer["kind"] == "done", (number, answer)
        assert maps(first.world) == (NEW if done else old), (number, answer)
        must_be_free(first.entities)


def follow(first: Durable) -> dict[str, Any]:
    """The answer of the rollout of the next version, in the world of the first one."""
    return json.loads(another(first, SECOND).run(roll_out_model, json.dumps(next_version())))


def next_version() -> dict[str, Any]:
    """The call of the rollout of the next version, which is of another response."""
    following: dict[str, Any] = json.loads(call(SHORT, version="10"))
    following["response"]["id"] = "rule-1.def"
    return following


@STARTS
def test_the_next_version_restores_what_an_ended_rollout_left_and_then_goes_on(old: dict[str, int]) -> None:
    for number in range(number_of_tasks(old)):
        first = terminated(serving(old), before_task(number))
        answer = follow(first)
        assert answer["kind"] == "done", (number, answer)
        assert maps(first.world) == {"net-10": 100}
        must_be_free(first.entities)


def test_a_rollout_that_had_completed_is_done_though_it_ended_without_an_answer() -> None:
    """It was terminated when the entity had kept its answer, and it had not received that yet."""
    first = Durable(serving(ALONE))
    assert json.loads(first.run(roll_out_model, call(SHORT)))["kind"] == "done"
    for _ in range(2):
        answer = json.loads(another(first, f"{FIRST}.restore").run(restore_traffic, recovery()))
        assert (answer["kind"], answer["completed"], maps(first.world)) == ("done", True, NEW)


@pytest.mark.parametrize("has_completed", [False, True])
def test_a_rollout_that_was_taken_over_before_it_completed_is_not_done(has_completed: bool) -> None:
    """The robber puts the traffic back from the record, which says nothing of the completion yet."""
    at = serving(ALONE)
    durable = Durable(at)

    def rob(task: Task) -> bool:
        if task[0] == "entity" and task[1][1] == "release_completed":
            number = {"began": "2026-01-02", "count": 1}
            robber = {"id": "robber", "number": number, "ttl": 60.0}
            [(name, text)] = durable.entities.items()
            taken = {"holder": None, "completed": "robber"} if has_completed else {"holder": robber}
            durable.entities[name] = json.dumps(json.loads(text) | taken)
        return False

    durable.stop_before = rob
    answer = json.loads(durable.run(roll_out_model, call(SHORT)))
    assert answer["kind"] == "stopped"
    assert "taken over" in answer["detail"]
    assert "answer" not in lease(durable.entities)["record"]


def test_a_completed_rollout_answers_for_no_other_run_of_its_step() -> None:
    first = Durable(serving(ALONE))
    first.run(roll_out_model, call(SHORT))
    rerun = json.dumps({"call": json.loads(call(SHORT)), "holders": [f"{FIRST}.rerun-1"]})
    answer = json.loads(another(first, f"{FIRST}.rerun-1.restore").run(restore_traffic, rerun))
    assert (answer["detail"], maps(first.world)) == ("the rollout left nothing to put back", NEW)


def test_a_rollout_that_had_the_lease_with_the_answer_of_another_has_not_completed() -> None:
    """It took the lease over while the other one completed, and was terminated before it did anything."""
    first = Durable(serving(ALONE))
    first.run(roll_out_model, call(SHORT))
    [(name, text)] = first.entities.items()
    holder = {"id": SECOND, "number": {"began": "2026-01-02", "count": 2}, "ttl": 60.0}
    first.entities[name] = json.dumps(json.loads(text) | {"holder": holder})
    first.instances[SECOND] = "TERMINATED"
    request = {"call": next_version(), "holders": [SECOND]}
    answer = json.loads(another(first, f"{SECOND}.restore").run(restore_traffic, json.dumps(request)))
    assert (answer["kind"], answer["detail"]) == ("done", "the rollout had not moved any traffic")
    assert not answer.get("completed")
    assert maps(first.world) == NEW
    must_be_free(first.entities)


def test_another_start_of_a_rollout_that_has_completed_gives_its_answer() -> None:
    first = Durable(serving(ALONE))
    answers = [first.run(roll_out_model, call(SHORT))]
    writes = list(first.world.writes)
    answers.append(another(first, f"{FIRST}.1-2").run(roll_out_model, call(SHORT)))
    assert json.loads(answers[1])["result"] == json.loads(answers[0])["result"]
    assert first.world.writes == writes


def test_the_next_version_puts_nothing_back_that_has_completed() -> None:
    first = Durable(serving(ALONE))
    first.run(roll_out_model, call(SHORT))
    written = len(first.world.writes)
    assert follow(first)["result"]["before"] == NEW
    moves = [one for one in first.world.writes[written:] if one.startswith("put traffic")]
    assert moves[0] == "put traffic {'net-9': 90, 'net-10': 10}"


def test_restoring_twice_restores_once() -> None:
    at = serving(OLD)
    first = terminated(at, when(10, at))
    assert maps(at)["net-9"] == 10
    for expected in (
        "the traffic of 'net' is net-1 70 %, net-2 30 %",
        "the rollout left nothing to put back",
    ):
        answer = another(first, f"{FIRST}.restore").run(restore_traffic, recovery())
        assert json.loads(answer)["detail"].startswith(expected)
    assert maps(at) == OLD


def test_restoring_waits_for_the_end_of_the_rollout() -> None:
    at = serving(OLD)
    first = terminated(at, when(10, at))
    first.instances[FIRST] = "RUNNING"
    ends = at.now + 200.0

    def end(world: World) -> None:
        if world.now > ends:
            first.instances[FIRST] = "TERMINATED"

    at.meddling = end
    again = another(first, f"{FIRST}.restore")
    again.run(restore_traffic, recovery())
    assert maps(at) == OLD
    assert at.now > ends


def held(entities: dict[str, Any], ttl: float | None = 3600.0, **ticket: Any) -> dict[str, Any]:
    """Entities in which somebody else has the endpoint, and with a ticket another one waits for it."""
    seen = Durable(serving(OLD))
    seen.run(roll_out_model, call(SHORT))
    [name] = seen.entities
    number = {"began": "2026-01-01", "count": 1}
    waiting = {"other": {"id": "other", "number": number, "order": ticket}} if ticket else {}
    holder = {"id": "elsewhere", "number": number, "ttl": ttl} if ttl is not None else None
    entities[name] = json.dumps({"holder": holder, "record": None, "waiting": waiting, "known": {}})
    return entities


def waiting_for(status: str | None, ttl: float = 3600.0) -> tuple[dict[str, Any], Durable]:
    durable = Durable(serving(OLD), held({}, ttl))
    durable.instances["elsewhere"] = status
    return json.loads(durable.run(roll_out_model, call(SHORT))), durable


@pytest.mark.parametrize("status", ["FAILED", "TERMINATED", "COMPLETED", None])
def test_a_holder_that_has_ended_is_not_waited_for(status: str | None) -> None:
    answer, durable = waiting_for(status)
    assert answer["kind"] == "done"
    assert not [task for task, _ in durable.history[:4] if task[0] == "timer"]


def test_a_holder_that_is_silent_for_longer_than_it_declared_is_taken_over() -> None:
    answer, durable = waiting_for("RUNNING", ttl=7200.0)
    assert answer["kind"] == "done"
    waited = []
    for task, _ in durable.history:
        if task[0] == "timer":
            waited.append(task[1])
        elif task[0] == "entity" and task[1][1] == "take_over":
            break
    assert 7200 < sum(waited) < 7200 + 120
    assert max(waited) == 60.0


def test_a_holder_that_speaks_is_waited_for_until_the_step_gives_up() -> None:
    durable = Durable(serving(OLD), held({}, 600.0))
    durable.instances["elsewhere"] = "RUNNING"

    def speak(world: World) -> None:
        [(name, text)] = durable.entities.items()
        state = json.loads(text)
        state["holder"]["number"] = {"began": "2026-01-01", "count": int(world.now)}
        durable.entities[name] = json.dumps(state)

    durable.world.meddling = speak
    text = json.loads(call(SHORT))
    text["step"]["timeout"] = 7200.0
    answer = json.loads(durable.run(roll_out_model, json.dumps(text)))
    assert answer["kind"] == "failed"
    assert answer["detail"] == "gave up after 2 h of waiting for the endpoint: elsewhere has it"
    assert any(
        "waiting for the endpoint: elsewhere has it" in said["detail"] for said in durable.context.said
    )
    assert lease(durable.entities)["waiting"] == {}
    assert durable.world.writes == []


def test_a_holder_whose_status_cannot_be_read_counts_as_alive() -> None:
    durable = Durable(serving(OLD), held({}, 7200.0))
    carried_out = durable._carried_out

    def broken(task: Task) -> Any:
        return failure("RpcError", "unavailable") if task[0] == "find" else carried_out(task)

    durable._carried_out = broken  # type: ignore[method-assign]
    answer = json.loads(durable.run(roll_out_model, call(SHORT)))
    assert answer["kind"] == "done"
    assert sum(task[1] for task, _ in durable.history if task[0] == "timer") > 7200


@pytest.mark.parametrize("status", ["RUNNING", "TERMINATED"])
def test_one_that_waits_gives_way_to_a_newer_one_only_if_that_still_runs(status: str) -> None:
    durable = Durable(serving(OLD), held({}, None, key="net", by="11"))
    durable.instances["other"] = status
    answer = json.loads(durable.run(roll_out_model, call(SHORT, order={"key": "net", "by": "9"})))
    tickets = lease(durable.entities)["waiting"]
    if status == "RUNNING":
        assert (answer["kind"], answer["gate"]) == ("stopped", "order")
        assert answer["detail"] == "11 of 'net' also waits, and is newer than 9"
        assert list(tickets) == ["other"]
    else:
        assert answer["kind"] == "done"
        assert tickets == {}, "a ghost's ticket is dropped"


def test_a_rollout_that_was_taken_over_writes_nothing_more() -> None:
    at = serving(OLD)
    durable = Durable(at)
    written: list[int] = []

    def rob(world: World) -> None:
        if world.live.get("net-9") == 10 and not written:
            [(name, text)] = durable.entities.items()
            number = {"began": "2026-01-02", "count": 1}
            robber = {"id": "robber", "number": number, "ttl": 60.0}
            durable.entities[name] = json.dumps(json.loads(text) | {"holder": robber})
            written.append(len(world.writes))

    at.meddling = rob
    answer = json.loads(durable.run(roll_out_model, call(SHORT)))
    assert answer["kind"] == "stopped"
    assert "taken over by robber" in answer["detail"]
    assert len(at.writes) == written[0], "neither forward nor back"
    assert lease(durable.entities)["holder"]["id"] == "robber"


def test_a_loss_that_an_activity_read_too_early_is_none() -> None:
    at = serving(OLD)
    durable = Durable(at)
    perform = durable._perform
    early: list[str] = []

    def read_early(text: str) -> str:
        if json.loads(text)["verb"] == "shift_traffic" and not early:
            early.append(text)
            return json.dumps({"kind": "lost", "detail": "taken over by nobody"})
        return perform(text)

    durable._perform = read_early  # type: ignore[method-assign]
    answer = json.loads(durable.run(roll_out_model, call(SHORT)))
    assert (answer["kind"], maps(at)) == ("done", NEW)
    must_be_free(durable.entities)


@pytest.mark.parametrize("broken", ["observe", "restore_traffic"])
def test_an_error_of_ours_puts_the_traffic_back_or_leaves_the_record_to_another(broken: str) -> None:
    at = serving(OLD)
    durable = Durable(at)
    perform = durable._perform
    errors = {"9": 0.5} if broken == "restore_traffic" else {}
    at.errors |= errors

    def spoil(text: str) -> str:
        verb = json.loads(text)["verb"]
        return json.dumps({"kind": "done"}) if verb == broken else perform(text)

    durable._perform = spoil  # type: ignore[method-assign]
    answer = json.loads(durable.run(roll_out_model, call(SHORT)))
    assert answer["kind"] == "failed"
    assert "a fault in mlevents: TypeError" in answer["detail"]
    assert answer.get("unrestored", False) is (broken == "restore_traffic")
    if broken == "restore_traffic":
        assert lease(durable.entities)["record"]["progress"]["before"] == OLD
        durable.instances[FIRST] = "COMPLETED"
        again = another(durable, f"{FIRST}.restore")
        again.run(restore_traffic, recovery())
    assert maps(at) == OLD
    must_be_free(durable.entities)


def test_the_record_holds_what_goes_back_and_no_file() -> None:
    at = serving(OLD)
    text = json.loads(call(SHORT))
    text["response"]["files"] = {"small.yaml": "x" * 10_000}
    first = terminated(at, when(10, at), json.dumps(text))
    record = lease(first.entities)["record"]
    assert {name: record["progress"][name] for name in ("before", "before_mirror", "phase")} == {
        "before": OLD,
        "before_mirror": {},
        "phase": 0,
    }
    assert "x" * 100 not in json.dumps(record)
