"""What the API reads of the task hub: a page at a time, and of each instance what it holds."""

from copy import copy
from itertools import permutations
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from durabletask.client import Page

from mlevents.api.response_query import ResponseQuery
from mlevents.api.response_reader import AT_ONCE, ResponseReader
from mlevents.orchestration.step_record import StepRecord
from mlevents.responses.hub_page import read_hub_page
from mlevents.responses.response_record import outcome_of
from tests.unit.handlers.task_hub import NOW, WORKSPACE, Hub, on_hub, response

OUTLINE = {
    "id": "e1",
    "type": "model.registered",
    "subject": "models/net:1",
    "time": "2026-01-01T00:00:00Z",
}


def steps(*statuses: str) -> list[dict[str, str]]:
    uses = ("deploy_model", "notify")
    ids = ("deploy", "say")
    return [
        {"id": i, "uses": u, "status": s, "detail": ""} for i, u, s in zip(ids, uses, statuses, strict=True)
    ]


def status(number: int, said: str, *statuses: str, **changes: Any) -> dict[str, Any]:
    records = [StepRecord.from_json(step) for step in steps(*(statuses or ("done", "done")))]
    return outcome_of(response(number, **changes), said, None, records).to_json()


async def page(hub: Hub, **parameters: str) -> list[dict[str, Any]]:
    found, _ = await ResponseReader(hub.client, {"prod": WORKSPACE}).page(ResponseQuery.read(parameters))
    return [view.to_json() for view in found]


def test_a_response_before_its_first_turn_shows_what_its_input_holds():
    async def test(hub: Hub) -> None:
        await hub.start(response())
        [one] = await page(hub, event_id="e1")
        assert (one["rule"], one["event"], one["status"]) == ("deploy", OUTLINE, "running")
        assert one["steps"] == steps("waiting", "waiting")
        assert await page(hub, event_id="e2") == []
        [same] = await ResponseReader(hub.client, {}).every(ResponseQuery(event_id="e1"))
        assert same.to_json() == one

    on_hub(test)


@pytest.mark.parametrize("custom_status", [None, status(1, "running", "running", "waiting")])
def test_a_response_killed_between_its_two_writes_shows_its_output(custom_status):
    async def test(hub: Hub) -> None:
        await hub.start(response())
        hub.set(
            "deploy.0001",
            "COMPLETED",
            custom_status=custom_status and custom_status,
            output=status(1, "done"),
        )
        [one] = await page(hub, status="done")
        assert (one["status"], one["steps"], one["event"]) == ("done", steps("done", "done"), OUTLINE)

    on_hub(test)


def test_an_orchestrator_that_failed_outright_says_why_in_one_line():
    async def test(hub: Hub) -> None:
        await hub.start(response())
        details = pb.TaskFailureDetails(
            errorType="JSONDecodeError", errorMessage="Expecting value:\n  line 1"
        )
        hub.set("deploy.0001", "FAILED", failure_details=details)
        [one] = await page(hub, event_id="e1")
        assert (one["rule"], one["event"]) == ("deploy", OUTLINE)
        assert one["because"].startswith(
            "the orchestration ended without an outcome: JSONDecodeError: Expecting value: line 1; it is run"
        )

    on_hub(test)


def test_a_terminated_response_says_what_terminated_it_and_ends_its_steps():
    async def test(hub: Hub) -> None:
        await hub.start(response())
        hub.set(
            "deploy.0001",
            "TERMINATED",
            custom_status=status(1, "running", "running", "waiting"),
            output="a person\nin the portal",
        )
        [one] = await page(hub, status="running")
        assert one["because"] == (
            "the orchestration was terminated: a person in the portal; "
            "what it left is put back soon, and it ends as failed"
        )
        assert [step["status"] for step in one["steps"]] == ["failed", "skipped"]

    on_hub(test)


@pytest.mark.parametrize(
    ("attempt", "wanted", "said", "lines"),
    [
        (1, "running", "it is run again soon (attempt 2 of 3)", ["done", "waiting"]),
        (2, "running", "it is run again soon (attempt 3 of 3)", ["done", "waiting"]),
        (3, "running", "what it left is put back soon, and it ends as failed", ["done", "failed"]),
        (4, "failed", "", ["done", "failed"]),
    ],
)
def test_one_that_the_sweeper_runs_again_is_running_until_it_is_final(attempt, wanted, said, lines):
    async def test(hub: Hub) -> None:
        await hub.start(response(), attempt=attempt)
        details = pb.TaskFailureDetails(errorType="E", errorMessage="x")
        shown = status(1, "running", "done", "running")
        hub.set("deploy.0001", "FAILED", custom_status=shown, failure_details=details)
        [one] = await page(hub)
        assert (one["status"], [step["status"] for step in one["steps"]]) == (wanted, lines)
        assert one["because"].endswith(said)
        assert [found["id"] for found in await page(hub, status=wanted)] == ["deploy.0001"]
        assert await page(hub, status="failed" if wanted == "running" else "running") == []

    on_hub(test)


def test_a_secret_in_a_failure_is_not_shown():
    async def test(hub: Hub) -> None:
        await hub.start(response())
        details = pb.TaskFailureDetails(errorType="E", errorMessage="AccountKey=abcdefgh12345678;")
        hub.set("deploy.0001", "FAILED", failure_details=details)
        assert "abcdefgh" not in str(await page(hub))

    on_hub(test)


def test_listing_fetches_the_input_only_of_those_that_need_it():
    async def test(hub: Hub) -> None:
        for number in range(1, 31):
            await hub.start(response(number))
            if number > 3:
                hub.set(
                    f"deploy.{number:04}",
                    "COMPLETED",
                    custom_status=status(number, "stopped", "skipped", "skipped"),
                )
        hub.asked.clear()
        assert len(await page(hub)) == 30
        assert sorted(hub.asked) == ["GetInstance"] * 3 + ["QueryInstances"]

    on_hub(test)


@pytest.mark.parametrize("limit", ["1", "7", "100", "250", "500"])
def test_pages_together_are_the_list_without_gaps_or_repeats(limit):
    async def test(hub: Hub) -> None:
        for number in range(1, 231):
            await hub.start(response(number, rule="a" if number % 3 else "b"))
            hub.set(hub_id(number), "COMPLETED", custom_status=status(number, "done", "skipped", "done"))
            hub.age(hub_id(number), number // 10)
        every = [one.id for one in await ResponseReader(hub.client, {}).every(ResponseQuery())]
        found: list[str] = []
        parameters = {"limit": limit}
        while True:
            query = ResponseQuery.read(parameters)
            listed, following = await ResponseReader(hub.client, {}).page(query)
            assert len(listed) <= int(limit)
            assert [one.created for one in listed] == sorted((one.created for one in listed), reverse=True)
            found += [one.id for one in listed]
            if following is None:
                break
            parameters["continuation"] = following.to_text()
        assert sorted(found) == sorted(every)
        assert len(every) == 230

    def hub_id(number: int) -> str:
        return f"{'a' if number % 3 else 'b'}.{number:04}"

    on_hub(test)


def test_one_page_reads_no_more_of_the_hub_than_it_needs():
    async def test(hub: Hub) -> None:
        for number in range(1, 251):
            await hub.start(response(number))
            hub.set(
                f"deploy.{number:04}", "COMPLETED", custom_status=status(number, "done", "skipped", "done")
            )
        hub.asked.clear()
        assert len(await page(hub, limit="10")) == 10
        assert hub.asked == ["QueryInstances"]
        hub.asked.clear()
        assert [one["event"]["id"] for one in await page(hub, event_id="e250")] == ["e250"]
        assert hub.asked == ["QueryInstances"] * 3

    on_hub(test)


@pytest.mark.parametrize(
    ("parameters", "numbers"),
    [
        ({"status": "done"}, [2]),
        ({"status": "failed"}, []),
        ({"status": "running"}, [1, 3]),
        ({"rule": "deploy"}, [1, 2]),
        ({"rule": "dep"}, []),
        ({"rule": "other"}, [3]),
        ({"event_id": "e2"}, [2]),
        ({"event_id": "E2"}, []),
        ({"subject": "models/net:3"}, [3]),
        ({"subject": "models/net"}, []),
        ({"workspace": "prod"}, [1, 2, 3]),
        ({"workspace": "ML-prod"}, [1, 2, 3]),
        ({"workspace": WORKSPACE.upper() + "/"}, [1, 2, 3]),
        ({"workspace": "ml"}, []),
        ({"since": "2026-01-01T23:58:30Z"}, [1]),
        ({"until": "2026-01-01T23:58:00Z"}, [3]),
        ({"since": "2026-01-01T23:58:00Z", "until": "2026-01-02T01:59:00 02:00"}, [2]),
        ({"since": "2026-01-03"}, []),
        ({"rule": "deploy", "status": "done", "code": "a-function-key"}, [2]),
    ],
)
def test_parameters_narrow_the_list_down(parameters, numbers):
    async def test(hub: Hub) -> None:
        for number, rule in ((1, "deploy"), (2, "deploy"), (3, "other")):
            await hub.start(response(number, rule))
            hub.age(f"{rule}.{number:04}", number)
        hub.set("deploy.0002", "COMPLETED", custom_status=status(2, "done", "skipped", "done"))
        found = await page(hub, **parameters)
        assert [one["event"]["id"] for one in found] == [f"e{number}" for number in numbers]

    on_hub(test)


def test_a_running_step_shows_what_its_own_orchestration_says_and_for_what_it_waits():
    async def test(hub: Hub) -> None:
        await hub.start(response())
        hub.set("deploy.0001", "RUNNING", custom_status=status(1, "running", "running", "waiting"))
        for child, said in (
            ("deploy.0001.deploy", {"detail": "the first try", "phases": []}),
            (
                "deploy.0001.deploy.2",
                {
                    "detail": "waiting for 'fraud'",
                    "phases": [{"phase": "x", "seconds": 1.0, "detail": "d"}],
                    "waiting": "endpoint",
                },
            ),
        ):
            await hub.start(response(id=child), "RollOutModel")
            hub.set(child, "RUNNING", custom_status=said)
        [one] = await page(hub, status="waiting")
        assert (one["status"], one["because"]) == ("waiting", "endpoint: waiting for 'fraud'")
        assert one["steps"][0]["detail"] == "waiting for 'fraud'"
        assert one["steps"][0]["phases"] == [{"phase": "x", "seconds": 1.0, "detail": "d"}]
        assert await page(hub, status="running") == []

    on_hub(test)


def test_calls_of_the_task_hub_are_bounded():
    most = under_way = 0

    async def test(hub: Hub) -> None:
        for number in range(1, 61):
            await hub.start(response(number))
        plain = hub.client.get_orchestration_state

        async def counted(instance_id: str) -> Any:
            nonlocal most, under_way
            under_way += 1
            most = max(most, under_way)
            try:
                return await plain(instance_id)
            finally:
                under_way -= 1

        hub.client.get_orchestration_state = counted  # type: ignore[method-assign, assignment]
        assert len(await page(hub)) == 60

    on_hub(test)
    assert 1 < most <= AT_ONCE


def test_one_response_alone_has_its_whole_event():
    async def test(hub: Hub) -> None:
        await hub.start(response())
        hub.age("deploy.0001", 0)
        one = await ResponseReader(hub.client, {}).one("deploy.0001", NOW)
        assert one is not None
        assert one["event"] == response().event.to_json()
        assert (one["id"], one["raw"], one["created"]) == ("deploy.0001", None, f"{NOW:%Y-%m-%dT%H:%M:%S}Z")
        assert await ResponseReader(hub.client, {}).one("nobody.1", NOW) is None

    on_hub(test)


def test_a_part_of_a_response_is_no_response():
    async def test(hub: Hub) -> None:
        await hub.start(response(id="deploy.0001.deploy"), "RollOutModel")
        assert await ResponseReader(hub.client, {}).one("deploy.0001.deploy", NOW) is None
        assert await page(hub) == []

    on_hub(test)


def test_a_page_of_50000_responses_reads_one_page_of_the_hub():
    async def test(hub: Hub) -> None:
        await hub.start(response())
        notified = outcome_of(response(), "done", None, [StepRecord("say", "notify", "done", "")])
        hub.set("deploy.0001", "COMPLETED", custom_status=notified.to_json())
        first = hub.hub._instances["deploy.0001"]
        for number in range(2, 50_001):
            one = copy(first)
            one.instance_id = f"deploy.{number:05}"
            hub.hub._instances[one.instance_id] = one
        hub.asked.clear()
        found, following = await ResponseReader(hub.client, {}).page(ResponseQuery.read({"limit": "100"}))
        assert (len(found), following is not None) == (100, True)
        assert hub.asked == ["QueryInstances"]

    on_hub(test)


def test_a_page_of_rollouts_has_their_steps_and_asks_for_those_at_its_end_only():
    async def test(hub: Hub) -> None:
        for number in range(1, 101):
            await hub.start(response(number))
            await hub.start(response(id=f"deploy.{number:04}.deploy"), "RollOutModel")
            hub.set(
                f"deploy.{number:04}.deploy",
                "RUNNING" if number % 2 else "COMPLETED",
                custom_status={"detail": f"{number} %", "waiting": None},
            )
            said = ("running", "running", "waiting") if number % 2 else ("done", "done", "done")
            hub.set(
                f"deploy.{number:04}",
                "RUNNING" if number % 2 else "COMPLETED",
                custom_status=status(number, *said),
            )
        for number in range(101, 201):
            await hub.start(response(number))
            said = ("stopped", "skipped", "skipped") if number % 2 else ("waiting", "waiting", "waiting")
            hub.set(
                f"deploy.{number:04}",
                "COMPLETED" if number % 2 else "RUNNING",
                custom_status=status(number, *said),
            )
        hub.asked.clear()
        found = await page(hub, limit="200")
        assert len(found) == 200
        details = {one["id"]: one["steps"][0]["detail"] for one in found}
        assert [details[f"deploy.{number:04}"] for number in range(1, 5)] == ["1 %", "", "3 %", ""]
        assert hub.asked == ["QueryInstances"] * (3 + 2), "three pages, two of which end with a rollout"
        hub.asked.clear()
        assert len(await page(hub, status="running", limit="200")) == 50
        assert hub.asked == ["QueryInstances"] * (2 + 1)

    on_hub(test)


def test_steps_that_a_filter_leaves_out_or_that_a_page_cuts_off_are_read() -> None:
    async def test(hub: Hub) -> None:
        await hub.start(response(1))
        hub.set("deploy.0001", "RUNNING", custom_status=status(1, "running", "done", "running"))
        await hub.start(response(id="deploy.0001.deploy"), "RollOutModel")
        log = {"detail": "over", "log": ["the last line"]}
        hub.set("deploy.0001.deploy", "COMPLETED", custom_status=log)
        for parameters in ({}, {"status": "running"}, {"until": "2100-01-01T00:00:00Z"}):
            hub.asked.clear()
            [one] = await page(hub, **parameters)
            assert one["steps"][0]["log"] == ["the last line"]
            assert len(hub.asked) == 1 + bool(parameters)
        for number in range(2, 101):  # the part is the second of 101 instances, then the last but one
            await hub.start(response(number, rule="a"))
            hub.set(f"a.{number:04}", "COMPLETED", custom_status=status(number, "done", "skipped", "done"))
        hub.asked.clear()
        assert {one["id"]: one for one in await page(hub)}["deploy.0001"]["steps"][0]["log"] == [
            "the last line"
        ]
        assert len(hub.asked) == 1 + 1

    on_hub(test)


def test_steps_are_read_whatever_the_order_in_which_a_backend_lists_instances(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(hub: Hub) -> None:
        order: tuple[str, ...] = ()
        size = 0

        async def read_page(client: Any, query: Any, token: str | None) -> Page[Any]:
            every = await read_hub_page(client, query, None)
            if query.instance_id_prefix:
                return every
            states = sorted(every.items, key=lambda one: order.index(one.instance_id))
            first = int(token or 0)
            rest = str(first + size) if first + size < len(states) else None
            return Page(states[first : first + size], rest)

        monkeypatch.setattr("mlevents.api.response_reader.read_hub_page", read_page)
        for number, name, step in ((1, "RUNNING", "running"), (2, "COMPLETED", "done")):
            await hub.start(response(number))
            hub.set(f"deploy.{number:04}", name, custom_status=status(number, step, step, "waiting"))
        await hub.start(response(id="deploy.0001.deploy"), "RollOutModel")
        hub.set("deploy.0001.deploy", "RUNNING", custom_status={"detail": "at 10 %", "log": ["one"]})
        await hub.start(response(id="deploy.0002.deploy"), "RollOutModel")
        hub.set("deploy.0002.deploy", "COMPLETED", custom_status={"detail": "at 100 %", "log": ["two"]})
        for order in permutations(tuple(hub.hub._instances)):
            for size in (1, 2, 3):
                logs = {one["id"]: one["steps"][0].get("log") for one in await page(hub)}
                assert logs == {"deploy.0001": ["one"], "deploy.0002": ["two"]}, (order, size)
                for said, log in (("running", "one"), ("done", "two")):
                    [one] = await page(hub, status=said)
                    assert one["steps"][0]["log"] == [log], (order, size, said)

    on_hub(test)
