"""The tag watch: each change that it has stored is published once, and nothing else is."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mlevents.errors import PermanentError, TransientError
from mlevents.responses.model_tags import REGISTER, find_version_group, is_abandoned, write_registration
from mlevents.responses.tag_record import KEPT_DAYS, format_time
from mlevents.rules.tag_scope import TagScope
from tests.unit.responses.tag_world import BEGAN, TOPIC, CrashError, TagWorld, names_of

STATES: tuple[dict[str, Any], ...] = (
    {"tags": {}},
    {"tags": {"stage": "prod"}},
    {"tags": {"stage": "dev", "owner": "ann"}},
    {"tags": {"mlevents.depth": "2"}},
    {"tags": {}, "stage": "Production"},
    {"tags": {}, "archived": True},
    {"tags": {"note": "x" * 400}},
    {"tags": {"note": "x" * 399 + "y"}},
)
UNCHANGED: dict[str, Any] = {"stage": "", "archived": False}


def looked_at(**tags: str) -> TagWorld:
    """A world with one version that has been looked at once."""
    world = TagWorld()
    world.register("net", "7", **tags)
    world.look()
    return world


def test_the_first_look_publishes_nothing() -> None:
    assert looked_at(stage="prod").published == []


def test_a_changed_tag_is_published_once_with_before_and_after() -> None:
    world = looked_at(stage="dev", owner="ann")
    world.change("net", "7", tags={"stage": "prod", "new": "1"})
    for _ in range(3):
        world.look()
    [event] = world.published
    assert (event.kinds, event.subject, event.topic) == (("model.tagged",), "models/net:7", TOPIC)
    assert names_of(event) == {
        "name": "net",
        "version": "7",
        "tags": {"stage": "prod", "new": "1"},
        "properties": {"origin": "test"},
        "archived": False,
        "changed": ["new", "owner", "stage"],
        "before": {"tags": {"stage": "dev", "owner": "ann"}, "archived": False},
    }


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"stage": "Production"}, {"stage": "Production", "changed": []}),
        ({"archived": True}, {"archived": True, "changed": []}),
    ],
)
def test_a_stage_and_an_archive_mark_are_changes_as_well(
    change: dict[str, Any], found: dict[str, Any]
) -> None:
    world = looked_at()
    world.change("net", "7", **change)
    world.look()
    [event] = world.published
    assert names_of(event).items() >= found.items()
    assert names_of(event)["before"] == {"tags": {}, "archived": False}


def test_a_model_that_is_archived_with_all_its_versions_archives_each() -> None:
    world = looked_at()
    world.register("net", "8")
    world.look()
    world.archived.add("net")
    world.look()
    assert sorted(names_of(one)["version"] for one in world.published) == ["7", "8"]
    assert all(names_of(one)["archived"] for one in world.published)


def test_two_looks_at_once_find_one_change() -> None:
    world = looked_at()
    world.change("net", "7", tags={"a": "1"})
    world.look(times=2)
    world.look(times=2)
    assert len({one.id for one in world.published}) == 1


def test_a_change_and_its_reversal_are_two_events() -> None:
    world = looked_at(stage="dev")
    for stage in ("prod", "dev", "prod"):
        world.change("net", "7", tags={"stage": stage})
        world.look()
    assert [names_of(one)["tags"]["stage"] for one in world.events] == ["prod", "dev", "prod"]


def test_tags_of_mlevents_are_not_compared() -> None:
    world = looked_at(stage="dev")
    world.change("net", "7", tags={"stage": "dev", "mlevents.depth": "1"})
    world.look()
    assert world.published == []
    world.change("net", "7", tags={"stage": "prod", "mlevents.depth": "1"})
    world.look()
    [event] = world.published
    assert event.depth == 1
    assert names_of(event)["changed"] == ["stage"]


def test_a_new_version_is_no_change() -> None:
    world = looked_at()
    world.register("net", "8", stage="prod")
    world.look()
    assert world.published == []


@pytest.mark.parametrize("first", ["event", "look"])
def test_what_is_tagged_between_registration_and_the_first_look_is_published(first: str) -> None:
    world = looked_at()
    world.register("net", "8")
    registration = write_registration("8", {}, format_time(world.now))
    entity = find_version_group(TOPIC, "net", "8").entity
    world.change("net", "8", tags={"stage": "prod"})
    if first == "look":
        world.look()
    for _ in range(2):
        world.perform(entity, REGISTER, registration)
    world.look()
    world.perform(entity, REGISTER, registration)
    world.look()
    [event] = world.published
    assert names_of(event)["changed"] == ["stage"]


def test_the_registration_of_a_version_that_was_known_for_long_changes_nothing() -> None:
    world = TagWorld()
    world.register("net", "7", stage="prod")
    registration = write_registration("7", {}, format_time(world.now))
    world.now += timedelta(days=1)
    world.look()
    world.perform(find_version_group(TOPIC, "net", "7").entity, REGISTER, registration)
    world.look()
    assert world.published == []


def test_a_version_that_was_deleted_and_registered_again_begins_anew() -> None:
    world = looked_at(stage="dev")
    world.now += timedelta(minutes=1)
    world.register("net", "7", stage="prod")
    world.look()
    assert world.published == []
    world.change("net", "7", tags={"stage": "dev"})
    world.look()
    assert len(world.published) == 1


def test_an_older_answer_of_azure_is_no_change() -> None:
    world = looked_at(stage="dev")
    older = world.versions["net"]["7"]
    world.change("net", "7", tags={"stage": "prod"})
    newer = world.versions["net"]["7"]
    for answer in (newer, older, newer):
        world.versions["net"]["7"] = answer
        world.look()
    assert len(world.published) == 1


def test_a_look_that_finds_no_change_sends_no_message_but_one_a_day() -> None:
    world = looked_at()
    world.sent.clear()
    world.look()
    assert world.sent == []
    world.now += timedelta(days=1)
    world.look()
    world.look()
    assert len(world.sent) == 1


def test_what_a_look_asks_of_the_task_hub_is_what_the_costs_say() -> None:
    world = TagWorld()
    for name in ("a", "b"):
        for version in range(30):  # two entities each
            world.register(name, str(version))
    world.look(most_pages=1000)
    world.sent.clear()
    world.reads, world.page = 0, 50
    world.look()
    assert (world.reads, len(world.sent)) == (1 + 4, 0)  # the cursor, and an entity for 25 versions
    world.change("a", "7", tags={"stage": "prod"})
    world.reads = 0
    world.look()
    assert world.reads == 1 + 4 + 1
    assert [operation for _, operation, _ in world.sent] == ["observe", "confirm"]


def test_an_event_that_fails_is_published_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    world = looked_at()
    world.change("net", "7", tags={"a": "1"})

    async def fail(_: str) -> None:
        raise OSError("no storage")

    monkeypatch.setattr(world, "publish", fail)
    with pytest.raises(OSError, match="no storage"):
        world.look()
    monkeypatch.undo()
    world.change("net", "7", tags={})
    world.look()
    assert [names_of(one)["tags"] for one in world.published] == [{"a": "1"}, {}]


def test_a_long_look_continues_where_it_stopped() -> None:
    world = TagWorld()
    for name in ("a", "b", "c"):
        for version in range(5):
            world.register(name, str(version))
    for _ in range(3):
        world.look(most_pages=3)
    asked = [one for one in world.asked if one != "models"]
    assert asked == ["a", "a2", "a4", "b", "b2", "b4", "c", "c2", "c4"]
    world.asked.clear()
    world.look(most_pages=5)
    world.look(most_pages=5)
    assert [one for one in world.asked if one != "models"] == [
        *("a", "a2", "a4", "b", "b2"),
        *("b4", "c", "c2", "c4", "a"),
    ]


def test_throttling_ends_the_look_until_azure_allows_another() -> None:
    world = TagWorld(page=10)
    for name in ("a", "b", "c"):
        world.register(name, "1")
    world.failures["b"] = TransientError("429", retry_after=90)
    world.look()
    world.failures.clear()
    world.look()
    assert world.asked == ["models", "a", "b"]
    world.look()
    assert world.asked[3:] == ["models", "b", "c", "a"]


def test_a_model_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    world = TagWorld()
    for name in ("a", "b"):
        world.register(name, "1")
    world.failures["a"] = PermanentError("a is broken")
    with pytest.raises(PermanentError, match="a is broken"):
        world.look()
    assert world.asked == ["models", "a", "b"]


def test_only_models_of_the_scope_are_read() -> None:
    world = TagWorld()
    world.register("a", "1")
    world.look(TagScope((), ()))
    assert world.asked == []


def test_versions_share_entities_in_groups_of_a_bounded_size() -> None:
    def key(version: str, model: str = "net", topic: str = TOPIC) -> str:
        return find_version_group(topic, model, version).entity.key

    assert len({key(str(version)) for version in range(1000)}) == 40
    assert len({key(f"2026.{version}") for version in range(1000)}) == 32
    assert key("1", "Net") != key("1")
    assert key("1", topic=TOPIC.upper()) == key("1")


def test_what_nobody_looks_at_any_more_is_forgotten() -> None:
    world = looked_at()
    [entity] = [one for one in world.entities.values() if one.text]
    late = BEGAN + timedelta(days=KEPT_DAYS)
    assert not is_abandoned(entity.text or "", late.date().isoformat())
    assert is_abandoned(entity.text or "", (late + timedelta(days=1)).date().isoformat())


steps = some.lists(
    some.sampled_from(range(len(STATES)))
    | some.sampled_from(["look", "look twice", "repeat", "late", "arrive"])
    | some.tuples(some.just("crash"), some.integers(0, 8)),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_each_stored_change_is_published_once_whatever_happens(history: list[Any]) -> None:
    """Between two looks that end well, the events lead from the one state to the other without a gap."""
    world = looked_at()
    for step in history:
        match step:
            case int():
                world.change("net", "7", **{**UNCHANGED, **STATES[step]})
            case "repeat" if world.sent:
                world.perform(*world.sent[len(history) % len(world.sent)])
            case ("crash", at):
                world.crashes_before = at
                with suppress(CrashError):
                    world.look()
                world.crashes_before = None
            case "look":
                world.look()
            case "look twice":
                world.look(times=2)
            case "late":
                world.is_late = True
            case "arrive":
                world.arrive()
    world.arrive()
    world.look()
    world.look()
    known: dict[str, Any] = {"tags": {}, "archived": False}
    for event in world.events:
        model = names_of(event)
        assert model["before"] == known
        after = {name: model[name] for name in ("tags", "stage", "archived") if name in model}
        known = after | {"tags": remembered(after["tags"])}
        assert known != model["before"]
    final = world.versions["net"]["7"]
    now = {"tags": remembered(final.tags), "archived": final.archived}
    assert known == now | ({"stage": final.stage} if final.stage else {})


def remembered(tags: Any) -> dict[str, str]:
    """What is compared of tags; here long values differ in their last letter alone."""
    from mlevents.responses.tag_record import select_tags

    return select_tags(tags)
