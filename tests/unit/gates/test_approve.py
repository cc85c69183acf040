"""A person must approve before the response acts."""

from typing import Any

import pytest

from mlevents.gates.approve.gate import Approve
from mlevents.gates.approve.link import ApprovalSubject
from mlevents.gates.approve.request import describe_steps
from mlevents.orchestration.messages import Response
from mlevents.orchestration.step_plan import PERFORM
from mlevents.responses.plan_digest import digest_rule
from tests.unit.gates.gate_world import GateWorld, make_step, message

EVENT: dict[str, Any] = {
    "id": "one",
    "type": "t",
    "kinds": [],
    "time": None,
    "subject": "s",
    "topic": "",
    "names": {},
}
TERMS = {"ask": ["people", "chat"], "within": "8h"}


class Asked:
    """A world in which the receivers can be asked; `said` answers each time, `raised` is what people say.

    `keys` are the approvals that were asked for, `queries` what the gate has read.
    """

    def __init__(self, *said: dict[str, Any]) -> None:
        self.said = list(said) or [{"sent": {"people": "mail", "chat": "teams"}}]
        self.keys: list[str] = []
        self.queries: list[dict[str, Any]] = []
        self.raised: list[tuple[str, str]] = []
        self.comment = "it is good"
        self.world = GateWorld(reads=self.read, raises=self.speak)

    def read(self, query: dict[str, Any]) -> dict[str, Any]:
        asked = query["document"]
        self.queries.append(asked)
        if asked["do"] == "begin":
            return {"kind": "done", "detail": "", "result": {"nonce": "n"}}
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        subject = ApprovalSubject(*asked["subject"])
        self.keys.append(subject.key)
        result = {"sent": {}, "late": {}, "refused": {}, "hash": subject.hash_token("t"), **said}
        return {"kind": "done", "detail": "", "result": result}

    def speak(self, *_: Any) -> list[dict[str, Any]]:
        if not self.keys:
            return []
        found = [
            {**message(verb, reason=self.comment), "id": f"{verb}-{key or self.keys[-1]}"}
            for verb, key in self.raised
        ]
        self.raised = []
        return found

    def respond(self, name: str = "one", **changes: Any) -> dict[str, Any]:
        return self.world.respond(name, {"approve": TERMS}, **changes)


def test_an_approved_response_acts_and_says_who_approved_it():
    asked = Asked()
    asked.raised = [("approve", "")]
    outcome = asked.respond()
    assert outcome["status"] == "done"
    [gate] = outcome["gates"]
    assert (gate["gate"], gate["status"]) == ("approve", "passed")
    assert gate["detail"] == "approved by someone@example.com: it is good"
    [entry] = outcome["log"]
    assert (entry["verb"], entry["by"], entry["effect"]) == (
        "approve",
        "someone@example.com",
        "passed on to the gate 'approve'",
    )
    assert len(asked.world.performed) == 1


def test_a_long_comment_is_whole_in_the_outcome_whatever_the_steps_say():
    asked = Asked()
    asked.raised, asked.comment = [("approve", "")], "good, " * 100
    asked.world.answers = {PERFORM: {"detail": "d" * 1000}}
    [gate] = asked.respond(steps=[make_step(f"act-{number}") for number in range(9)])["gates"]
    assert gate["detail"] == f"approved by someone@example.com: {asked.comment}"


def test_a_rejected_response_stops_with_who_and_why_and_notifies_nobody():
    asked = Asked()
    asked.raised = [("reject", "")]
    outcome = asked.respond()
    assert outcome["status"] == "stopped"
    assert outcome["because"] == "approve: rejected by someone@example.com: it is good"
    assert asked.world.performed == []


def test_nobody_in_time_is_a_no_of_which_people_hear():
    asked = Asked()
    before = asked.world.now
    outcome = asked.respond()
    assert (outcome["status"], outcome["because"]) == ("stopped", "approve: nobody decided within 8 h")
    assert [call["step"]["id"] for call in asked.world.performed] == ["on_failure.alarm"]
    assert 8 * 3600 <= (asked.world.now - before).total_seconds() < 8 * 3600 + 60


@pytest.mark.parametrize("key", ["0" * 16, "another"])
def test_a_decision_about_something_else_decides_nothing(key: str):
    asked = Asked()
    asked.raised = [("approve", key)]
    outcome = asked.respond()
    assert outcome["because"] == "approve: nobody decided within 8 h"


def test_the_first_of_two_decisions_counts():
    asked = Asked()
    asked.raised = [("reject", ""), ("approve", "")]
    outcome = asked.respond()
    assert outcome["status"] == "stopped"
    effects = {entry["verb"]: entry["effect"] for entry in outcome["log"]}
    assert effects["approve"] == "came too late: the response ended as stopped"


def test_a_receiver_that_does_not_answer_is_tried_again_while_the_others_may_decide():
    asked = Asked({"sent": {"people": "mail"}, "late": {"chat": "busy"}}, {"sent": {"chat": "teams"}})
    asked.respond()
    assert [query["receivers"] for query in asked.queries if query["do"] == "ask"] == [
        ["people", "chat"],
        ["chat"],
    ]
    assert len(set(asked.keys)) == 1, "one link, however often it is sent"


def test_a_response_stops_when_nobody_can_be_asked():
    asked = Asked({"refused": {"people": "is gone", "chat": "sends no messages"}})
    outcome = asked.respond()
    assert outcome["status"] == "stopped"
    assert outcome["because"] == "approve: nobody could be asked: 'people' is gone; 'chat' sends no messages"


def test_each_attempt_and_each_rule_needs_a_decision_of_its_own():
    asked = Asked()
    cases: list[dict[str, Any]] = [{}, {"reruns": 1}, {"rule": "another"}, {"connections": {}}]
    for changes in cases:
        asked.respond(**changes)
    asked.world.respond("one", {"approve": {**TERMS, "within": "9h"}})
    first, rerun, rule, same, terms = asked.keys
    assert first == same
    assert len({first, rerun, rule, terms}) == 4


def test_a_gate_that_changes_later_ones_leaves_the_link_valid():
    subjects: list[ApprovalSubject] = []
    gates: dict[str, Any] = {
        "verify": ["model"],
        "approve": TERMS,
        "budget": {"key": "old", "at_most": 5, "per": "24h"},
    }

    def read(query: dict[str, Any]) -> dict[str, Any]:
        asked = query["document"]
        if query["gate"] == "verify":
            later = {"approve": TERMS, "budget": {**gates["budget"], "key": "new"}}
            return {"kind": "done", "detail": "", "result": {"names": {}, "gates": later}}
        if asked["do"] == "ask":
            subjects.append(ApprovalSubject(*asked["subject"]))
        result = {"nonce": "n", "sent": {"people": ""}, "late": {}, "refused": {}, "hash": "h"}
        return {"kind": "done", "detail": "", "result": result}

    began: dict[str, Any] = {"names": {"model": {"name": "net"}}}
    rule = {"event": ["model.registered"], "kind": "model.registered"}
    GateWorld(reads=read).respond("one", gates, event=began, written_rule=rule)
    stored = Response.from_json(
        {
            "id": "rule.one",
            "rule": "rule",
            "event": {**EVENT, **began},
            "steps": [make_step("act")],
            "gates": gates,
        }
    )
    assert {one.plan for one in subjects} == {digest_rule(stored)}


def test_what_is_stored_has_no_token():
    subject = ApprovalSubject("rule.one~0", "approve", "p")
    token = subject.make_token("secret", "nonce")
    assert len(token) == 43
    assert subject.is_token(token, subject.hash_token(token))
    stored = subject.hash_token(token)
    for other in (
        ApprovalSubject("rule.one~1", "approve", "p"),
        ApprovalSubject("rule.two~0", "approve", "p"),
        ApprovalSubject("rule.one~0", "deploy", "p"),
        ApprovalSubject("rule.one~0", "approve", "q"),
    ):
        assert not other.is_token(token, stored)
        assert other.make_token("secret", "nonce") != token
    assert subject.make_token("secret", "another") != token
    assert subject.make_token("another", "nonce") != token


def test_only_four_eyes_need_the_right_to_read_models():
    [permission] = Approve.permissions
    for terms, is_needed in ((TERMS, False), ({**TERMS, "not_by": "author"}, True)):
        assert permission.needed(Approve.model_validate(terms).permission_parameters) is is_needed


def test_a_step_is_described_with_its_rollout_after_its_plain_values():
    written = {
        "rollout": {"steps": [{"percent": 10, "for": "10m"}], "on_failure": "${steps.before.policy}"},
        "limits": {"instances": 4},
        "endpoint": "${model.name}",
        "wait": True,
    }
    (line,) = describe_steps(
        [{"id": "deploy", "uses": "deploy_model", "with": written}], {"model": {"name": "m"}}
    )
    assert line == (
        'deploy (deploy_model): endpoint: m, wait: true, rollout: {"steps": [{"percent": 10, "for": "10m"}], '
        '"on_failure": "${steps.before.policy}"}, limits: {"instances": 4}'
    )
