"""The endpoint's lease under messages that repeat, come late, or change places: laws of its entity."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.orchestration.endpoint_lease import (
    ACQUIRE,
    FORGET,
    MOST_REMEMBERED,
    RELEASE,
    apply_statement,
    endpoint_lease,
    read_state,
    view_of,
)
from mlevents.orchestration.lease_messages import (
    InstanceNumber,
    LeaseView,
    Statement,
    StatementNumber,
    Ticket,
)
from mlevents.orchestration.waiting_order import WaitingOrder
from mlevents.responses.newest_version import newest_version
from tests.unit.responses.replay import EntityState

BEGAN = "2026-01-01T00:00:00"
NAMES = ("a", "b", "c")


ORDER = WaitingOrder("net", "1")


def statement(instance: str, number: int, **more: Any) -> Statement:
    return Statement(instance, StatementNumber(BEGAN, number), 60.0, **more)


def latest(instance: str, number: int) -> InstanceNumber:
    return InstanceNumber(instance, StatementNumber(BEGAN, number))


@dataclass
class Client:
    """An orchestration: it says one thing after another, and believes what it is answered."""

    name: str
    said: int = 0
    held: bool = False
    view: LeaseView = field(default_factory=LeaseView)
    dead: bool = False
    left: bool = False

    def next(self, operation: str, **more: Any) -> tuple[str, Statement]:
        self.said += 1
        return operation, statement(self.name, self.said, **more)


class Network:
    """The entity, and every message that was ever sent to it."""

    def __init__(self) -> None:
        self.state = read_state(None)
        self.sent: list[tuple[str, Statement]] = []

    def deliver(self, client: Client, message: tuple[str, Statement]) -> None:
        self.sent.append(message)
        apply_statement(self.state, *message)
        client.view = view_of(self.state, client.name)
        client.held = client.view.holder is not None and client.view.holder.id == client.name

    def repeat(self, message: tuple[str, Statement]) -> None:
        apply_statement(self.state, *message)


def go_on(network: Network, client: Client, clients: list[Client], choice: int) -> None:
    """The next statement of a client: as `lease` makes them."""
    holder = client.view.holder
    dead = {one.name for one in clients if one.dead}
    if client.held:
        more = {"record": {"of": client.name}} if choice % 3 == 0 else {}
        leaving = "release_completed" if choice == 5 else "release"
        network.deliver(client, client.next(leaving if choice % 3 == 2 else "renew", **more))
        client.left = network.sent[-1][0] == leaving
        assert client.view.completed == (client.name if network.sent[-1][0] == "release_completed" else None)
    elif holder and holder.id in dead:
        network.deliver(client, client.next("take_over", holder=holder.latest))
    elif choice == 8:
        network.deliver(client, client.next("release"))
        client.left = True
    else:
        gone = tuple(one.latest for one in client.view.waiting if one.id in dead)
        network.deliver(client, client.next("acquire", order=ORDER, gone=gone))


def the_last_one(network: Network, clients: list[Client]) -> Client:
    """One more that wants the endpoint, and gets it while the others leave."""
    last = Client("last")
    while not last.held:
        for client in clients:
            if client.held and not client.dead and not client.left:
                go_on(network, client, clients, 2)
        go_on(network, last, clients, 0)
        everyone_left = [one for one in clients if not one.dead and not one.left and not one.held]
        for client in everyone_left:
            network.deliver(client, client.next("release"))
            client.left = True
    return last


steps = st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 10_000))


@given(steps=st.lists(steps, max_size=60), late=st.randoms(use_true_random=False))
def test_one_holds_the_lease_whatever_repeats_or_comes_late_and_nothing_stays_behind(steps, late) -> None:
    network, clients = Network(), [Client(name) for name in NAMES]
    for who, choice, which in steps:
        client = clients[who]
        if choice == 9 and network.sent:
            network.repeat(network.sent[which % len(network.sent)])
        elif choice == 7 and which % 5 == 0:
            client.dead = True
        elif not client.dead and not client.left:
            go_on(network, client, clients, choice)
        holders = [one.name for one in clients if one.held and not one.dead and not one.left]
        assert len(holders) <= 1, "two believe that they hold the endpoint"
        if holders:
            assert network.state.holder
            assert network.state.holder.id == holders[0]
    last = the_last_one(network, clients)
    go_on(network, last, clients, 1)
    go_on(network, last, clients, 2)
    messages = network.sent * 2
    late.shuffle(messages)
    for message in messages:
        network.repeat(message)
    assert (network.state.holder, network.state.record) == (None, None)
    assert not {one for one in network.state.waiting if one not in {c.name for c in clients if c.dead}}


operations = st.sampled_from(["acquire", "renew", "release_completed", "release", "take_over"])
others = st.builds(
    lambda operation, name, number: (
        operation,
        statement(name, number, order=ORDER, holder=latest("x", 1)),
    ),
    operations,
    st.sampled_from(NAMES),
    st.integers(1, 5),
)


def unique(messages: list[Any]) -> list[Any]:
    """One orchestration makes one statement of a number."""
    return list({(one.id, one.number.count): (operation, one) for operation, one in messages}.values())


@given(messages=st.lists(others, max_size=12), data=st.data())
def test_what_others_say_to_a_held_lease_leaves_one_state_in_whatever_order_it_arrives(
    messages, data
) -> None:
    messages = [one for one in unique(messages) if one[0] in ("acquire", "release")]
    states = []
    for order in (messages, data.draw(st.permutations(messages * 2))):
        state = read_state(None)
        apply_statement(state, "acquire", statement("x", 9))
        for message in order:
            apply_statement(state, *message)
        states.append(state)
    assert states[0] == states[1]


@given(messages=st.lists(others, max_size=12))
def test_a_statement_that_is_repeated_changes_nothing_and_is_answered_alike(messages) -> None:
    state = read_state(None)
    for operation, said in unique(messages):
        apply_statement(state, operation, said)
        before, first = json.dumps(state.to_json()), view_of(state, said.id)
        apply_statement(state, operation, said)
        assert (json.dumps(state.to_json()), view_of(state, said.id)) == (before, first)


@pytest.mark.parametrize("renewed", [False, True])
def test_a_take_over_is_refused_to_all_when_the_holder_has_spoken_and_granted_to_one_otherwise(
    renewed,
) -> None:
    state = read_state(None)
    apply_statement(state, "acquire", statement("old", 1))
    apply_statement(state, "renew", statement("old", 2, record={"before": {"net-1": 100}}))
    if renewed:
        apply_statement(state, "renew", statement("old", 3, record={"before": {"net-1": 100}}))
    for name in ("a", "b"):
        apply_statement(state, "take_over", statement(name, 1, holder=latest("old", 2)))
    assert state.holder
    assert state.holder.id == ("old" if renewed else "a")
    assert state.record == {"before": {"net-1": 100}}, "the record outlives its rollout"
    apply_statement(state, "renew", statement("old", 4, record=None))
    apply_statement(state, "release", statement("old", 5))
    assert (state.holder and state.holder.latest) == (None if renewed else latest("a", 1))


def test_the_numbers_of_those_who_are_gone_are_remembered_but_not_all_for_ever() -> None:
    state = read_state(None)
    for number in range(3 * MOST_REMEMBERED):
        apply_statement(state, "acquire", statement(f"i{number}", 1))
        apply_statement(state, "release", statement(f"i{number}", 2))
    assert len(state.known) == MOST_REMEMBERED
    assert len(json.dumps(state.to_json())) < 20_000


def test_an_instance_that_is_run_again_under_its_old_id_is_heard() -> None:
    state = read_state(None)
    apply_statement(state, "release", statement("a", 40))
    apply_statement(state, "acquire", Statement("a", StatementNumber("2026-01-02T00:00:00", 1), 60.0))
    assert state.holder
    assert state.holder.id == "a"


def test_the_entity_keeps_its_state_as_text_and_shows_the_record_to_its_holder_alone() -> None:
    store: dict[str, Any] = {}

    def say(operation: str, said: Statement) -> LeaseView:
        text = endpoint_lease(EntityState(store, "e", operation), json.dumps(said.to_json()))
        return LeaseView.from_json(json.loads(text))

    say("acquire", statement("a", 1))
    held = say("renew", statement("a", 2, record={"before": {}}))
    assert held.record == {"before": {}}
    seen = say("acquire", statement("b", 1, order=ORDER))
    assert seen.record is None
    [ticket] = say("look", statement("a", 3)).waiting
    assert (ticket.latest, ticket.order) == (latest("b", 1), ORDER)
    assert isinstance(store["e"], str)


@given(versions=st.lists(st.text("0123456789.rc", min_size=1, max_size=4), min_size=1), data=st.data())
def test_the_newest_version_is_the_same_in_whatever_order_and_how_often_versions_pass(versions, data) -> None:
    found = []
    for order in (versions, data.draw(st.permutations(versions * 2))):
        store: dict[str, Any] = {}
        for version in order:
            newest_version(EntityState(store, "k", "pass"), version)
        found.append(store["k"])
    assert found[0] == found[1]


def test_the_record_of_one_that_has_completed_is_kept_until_the_next_holder() -> None:
    state = read_state(None)
    apply_statement(state, "acquire", statement("a", 1, record={"before": {}}))
    apply_statement(state, "acquire", statement("b", 1, order=ORDER))
    apply_statement(state, "release_completed", statement("a", 2, record={"answer": {}}))
    assert view_of(state, "c") == LeaseView(
        None, (Ticket("b", latest("b", 1).number, ORDER),), {"answer": {}}, "a"
    )
    apply_statement(state, "acquire", statement("b", 2))
    apply_statement(state, "release_completed", statement("a", 2, record={"answer": {}}))
    apply_statement(state, "release_completed", statement("a", 3, record={"answer": {}}))
    assert view_of(state, "b") == LeaseView(state.holder, (), None, None)
    assert state.holder
    assert state.holder.id == "b"


@pytest.mark.parametrize(
    ("operation", "instance", "former", "keeps"),
    [
        ("acquire", "r.s.1-3", None, True),
        ("acquire", "r.s", None, True),
        ("acquire", "r.s.1-2", None, False),  # it was purged, and runs again under its old id
        ("acquire", "r.s.rerun-1", None, False),
        ("acquire", "other.s", None, False),
        ("take_over", "r.s.1-2.restore", "r.s.1-2", True),
        ("take_over", "r.s.1-3", "gone", True),
        ("take_over", "other.s", "gone", False),
    ],
)
def test_the_next_holder_gets_the_answer_of_one_that_has_completed_only_if_it_may_need_it(
    operation: str, instance: str, former: str | None, keeps: bool
) -> None:
    state = read_state(None)
    apply_statement(state, "acquire", statement("r.s.1-2", 1))
    apply_statement(state, "release_completed", statement("r.s.1-2", 2, record={"answer": {}}))
    own: dict[str, Any] | None = {"before": {}} if operation == "acquire" else None
    number = StatementNumber("2026-01-02T00:00:00", 1)
    holder = latest(former, 1) if former else None
    apply_statement(state, operation, Statement(instance, number, 60.0, record=own, holder=holder))
    seen = view_of(state, instance)
    assert seen.holder
    assert seen.holder.id == instance
    assert (seen.record, seen.completed) == (({"answer": {}}, "r.s.1-2") if keeps else (own, None))


def test_a_lease_that_has_changed_since_it_was_read_is_not_forgotten():
    store: dict[str, Any] = {}

    def say(operation: str, number: int, **more: Any) -> str:
        text = json.dumps(statement("a", number, **more).to_json())
        endpoint_lease(EntityState(store, "lease", operation), text)
        return str(store["lease"])

    say(ACQUIRE, 1)
    old = say(RELEASE, 2)
    say(ACQUIRE, 3)
    completed = say("release_completed", 4, record={"answer": {}})
    endpoint_lease(EntityState(store, "lease", FORGET), old)
    assert store == {"lease": completed}
    endpoint_lease(EntityState(store, "lease", FORGET), completed)
    assert store == {"lease": None}


def test_a_newest_version_is_forgotten_unless_another_has_passed_since():
    store: dict[str, Any] = {}
    newest_version(EntityState(store, "k", "pass"), "5")
    newest_version(EntityState(store, "k", "forget"), "4")
    assert store["k"] == "5"
    for _ in range(2):
        newest_version(EntityState(store, "k", "forget"), "5")
    assert store["k"] is None
    assert newest_version(EntityState(store, "k", "pass"), "3") == "3"
