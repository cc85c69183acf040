"""Events that lead to no rule: none is lost, and a flood of them stores and starts no more than it may."""

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from durabletask.testing.in_memory_backend import EntityState

from mlevents.api.response_query import ResponseQuery
from mlevents.api.response_reader import ResponseReader
from mlevents.handlers.delivery import KEEPERS
from mlevents.handlers.floods import count_refused, keep_quarantined
from mlevents.handlers.scheduling import schedule
from mlevents.orchestration.messages import Response
from mlevents.responses.decision import decide
from mlevents.responses.flood import MOST_STORED, MOST_TOPICS, event_mark, write_marks
from mlevents.responses.flood_report import INSTANCE
from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings
from tests.unit.handlers.task_hub import NOW, Hub, on_hub

RULES = """
version: 1
defaults:
  on_failure: [{uses: notify, with: {to: team, template: quarantined}}]
workspaces: {prod: /subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w}
connections:
  team: {type: apprise, url: {setting: TEAM_URL}}
rules:
  - id: tell
    event: model.registered
    do: [{uses: notify, with: {to: team, subject: x, text: y}}]
"""
SETTINGS = Settings(environment={"TEAM_URL": "json://localhost"})


def stored_input(hub: Hub, instance: str) -> Any:
    """What an instance was started with."""
    text = hub.hub._instances[instance].input
    assert text is not None
    return json.loads(json.loads(text))


def decided(event: dict[str, Any], settings: Settings = SETTINGS) -> Response:
    rules = load_rules_text(RULES, Path("rules.yaml"), settings)
    [one] = decide(json.dumps(event), rules, settings, datetime.now(UTC))
    return one


def rubbish(number: int) -> dict[str, Any]:
    return {"id": f"r-{number}", "eventType": 7}


def foreign(number: int, topic: str = "/elsewhere") -> dict[str, Any]:
    return {
        "id": f"f-{number}",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "topic": topic,
        "subject": "models/a:1",
        "data": {"modelName": "a", "modelVersion": "1"},
    }


def instances(hub: Hub, name: str) -> list[str]:
    return [one.instance_id for one in hub.hub._instances.values() if one.name == name]


def signals(hub: Hub) -> dict[str, int]:
    return {name: len(one.pending_operations) for name, one in hub.hub._entities.items()}


def stored_in(hub: Hub, entity: str, times: int) -> None:
    """Let the entity have counted so many events."""
    state = json.dumps(write_marks(event_mark(f"other {number}") for number in range(times)))
    hub.hub._entities[entity] = EntityState(instance_id=entity, serialized_state=state)


def moment(minutes: float) -> datetime:
    """A time of this test's own, so that no other test's flood is met."""
    return NOW + timedelta(minutes=minutes)


def test_rubbish_all_at_once_is_counted_all_and_stored_up_to_the_bound(caplog):
    caplog.set_level(logging.ERROR, "mlevents")

    async def test(hub: Hub) -> None:
        now, events = moment(1), [decided(rubbish(number)) for number in range(300)]
        kept = await asyncio.gather(*(keep_quarantined(one, hub.client, now) for one in events))
        assert all(kept)
        assert len(instances(hub, "RespondToEvent")) == MOST_STORED
        assert instances(hub, "ReportFlood") == [INSTANCE]
        assert list(signals(hub).values()) == [300]

    on_hub(test)
    unstored = [line.getMessage() for line in caplog.records if "NOT stored" in line.getMessage()]
    assert len(unstored) == 200
    assert len({line.split()[1] for line in unstored}) == 200


def test_what_another_process_has_stored_counts_too(caplog):
    async def test(hub: Hub) -> None:
        now = moment(2)
        await keep_quarantined(decided(rubbish(1)), hub.client, now)
        [entity] = signals(hub)
        stored_in(hub, entity, MOST_STORED)
        await keep_quarantined(decided(rubbish(2)), hub.client, now)
        assert len(instances(hub, "RespondToEvent")) == 1
        await keep_quarantined(decided(rubbish(3)), hub.client, now + timedelta(minutes=61))
        assert len(instances(hub, "RespondToEvent")) == 2

    on_hub(test)
    assert "event r-2 (quarantined) is NOT stored" in caplog.text


def test_a_redelivery_of_rubbish_is_one_look():
    async def test(hub: Hub) -> None:
        now, one = moment(3), decided(rubbish(1))
        assert await keep_quarantined(one, hub.client, now)
        hub.asked.clear()
        assert not await keep_quarantined(one, hub.client, now)
        assert hub.asked == ["GetInstance"]
        assert list(signals(hub).values()) == [1]

    on_hub(test)


@pytest.mark.parametrize(("mode", "steps"), [("live", 1), ("shadow", 0)])
def test_what_is_stored_notifies_nobody_and_the_report_does_unless_in_shadow(mode, steps):
    async def test(hub: Hub) -> None:
        one = decided(rubbish(1), replace(SETTINGS, mode=mode))
        await keep_quarantined(one, hub.client, moment(4 if steps else 5))
        [stored] = instances(hub, "RespondToEvent")
        document = stored_input(hub, stored)
        assert (document.get("alert"), document.get("on_failure")) == (None, None)
        assert json.loads(document["raw"]) == rubbish(1)
        report = stored_input(hub, INSTANCE)
        assert (len(report.get("on_failure", ())), report.get("raw"), report["id"]) == (steps, None, stored)

    on_hub(test)


@pytest.mark.parametrize("ended", ["COMPLETED", "FAILED", "TERMINATED"])
def test_after_the_end_of_a_report_the_next_event_begins_one_anew(ended):
    async def test(hub: Hub) -> None:
        now = moment(6)
        await keep_quarantined(decided(rubbish(1)), hub.client, now)
        hub.set(INSTANCE, ended)
        await keep_quarantined(decided(rubbish(2)), hub.client, now + timedelta(seconds=1))
        assert stored_input(hub, INSTANCE)["event"]["id"] == "r-2"
        assert list(signals(hub).values()) == [1, 1]

    on_hub(test)


def test_an_event_that_comes_while_the_report_ends_begins_another():
    async def test(hub: Hub) -> None:
        now = moment(9)
        await keep_quarantined(decided(rubbish(1)), hub.client, now)
        signal = hub.client.signal_entity

        async def ending(*given: Any, **named: Any) -> None:
            hub.client.signal_entity = signal  # type: ignore[method-assign]
            hub.set(INSTANCE, "COMPLETED")
            await signal(*given, **named)

        hub.client.signal_entity = ending  # type: ignore[method-assign]
        await keep_quarantined(decided(rubbish(2)), hub.client, now + timedelta(seconds=1))
        report = stored_input(hub, INSTANCE)
        assert report["event"]["id"] == "r-2"
        assert signals(hub)[f"@eventflood@{report['flood']['key']}"] == 1

    on_hub(test)


def test_a_start_that_fails_raises_and_leaves_its_place_to_the_redelivery():
    async def test(hub: Hub) -> None:
        now = moment(7)
        await keep_quarantined(decided(rubbish(0)), hub.client, now)
        begin = hub.client.schedule_new_orchestration

        async def broken(*_: Any, **__: Any) -> str:
            raise ConnectionError("the task hub is away")

        hub.client.schedule_new_orchestration = broken  # type: ignore[method-assign]
        for _ in range(2 * MOST_STORED):
            with pytest.raises(ConnectionError):
                await keep_quarantined(decided(rubbish(1)), hub.client, now)
        hub.client.schedule_new_orchestration = begin  # type: ignore[method-assign]
        await keep_quarantined(decided(rubbish(1)), hub.client, now)
        assert len(instances(hub, "RespondToEvent")) == 2

    on_hub(test)


def test_foreign_events_of_a_topic_are_one_response_with_their_count():
    async def test(hub: Hub) -> None:
        now = moment(8)
        for number in range(20):
            assert await count_refused(decided(foreign(number)), hub.client, now)
        [shown] = instances(hub, "RespondToEvent")
        entity = f"@eventflood@{shown}"
        assert signals(hub)[entity] == 20
        stored_in(hub, entity, 20)
        reader = ResponseReader(hub.client, {})
        hub.set(
            shown,
            "COMPLETED",
            output={
                **(await reader.every(ResponseQuery()))[0].to_json(),
                "status": "refused",
                "because": "foreign",
            },
        )
        [one] = await reader.every(ResponseQuery(event_id="f-0"))
        assert (one.status, one.count) == ("refused", 20)
        assert one.because == "foreign; 19 more of this topic within the hour"
        alone = await reader.one(shown, NOW)
        assert alone is not None
        assert (alone["count"], alone["because"]) == (20, one.because)

    on_hub(test)


def test_foreign_topics_are_bounded_and_the_rest_is_counted_together(caplog):
    async def test(hub: Hub) -> None:
        now = moment(90)
        events = [decided(foreign(number, f"/topic-{number}")) for number in range(MOST_TOPICS + 30)]
        await asyncio.gather(*(count_refused(one, hub.client, now) for one in events))
        assert len(instances(hub, "RespondToEvent")) == MOST_TOPICS
        assert sorted(signals(hub).values())[-2:] == [30, MOST_TOPICS]

    on_hub(test)
    assert caplog.text.count("NOT stored") == 30


def test_an_event_of_a_rule_is_one_look_and_one_start_and_reads_no_entity():
    async def test(hub: Hub) -> None:
        topic = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
        one = decided(foreign(1, topic))
        assert (one.rule, one.status) == ("tell", "running")
        assert one.status not in KEEPERS
        assert await schedule(one, hub.client)
        assert hub.asked == ["GetInstance", "StartInstance"]
        assert signals(hub) == {}

    on_hub(test)
