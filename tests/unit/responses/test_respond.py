"""How a response is completed: its steps in order, what a failure leads to, and always an outcome."""

import json
from inspect import GEN_CLOSED, getgeneratorstate
from typing import Any

import pytest

from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.size_limits import CUSTOM_STATUS_UNITS
from mlevents.orchestration.step_errors import StepRefusedError, raise_unless_successful
from mlevents.responses.respond import respond_to_event
from tests.unit.responses.replay import Context, run

RETRY = {"attempts": 1, "first": 1, "max": 1}


def step(name: str, **changes: Any) -> dict[str, Any]:
    known = {"id": name, "uses": "notify", "with": {}, "if": None, "retry": RETRY, "timeout": None}
    return {**known, **changes}


def document(**changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "id": "e1",
        "type": "model.registered",
        "subject": "models/net:7",
        "time": None,
        "kinds": [],
        "topic": "",
        "names": {},
    }
    return {
        "id": "rule.0123",
        "rule": "rule",
        "event": event,
        "status": "running",
        "because": None,
        "alert": False,
        "steps": [step("one"), step("two")],
        "on_failure": [step("alarm"), step("mail")],
        "raw": None,
        **changes,
    }


class Team:
    """Performs steps: those named in `refuse` fail; remembers in which order they came."""

    def __init__(self, *refuse: str) -> None:
        self.refuse = refuse
        self.seen: list[str] = []

    def __call__(self, call: dict[str, Any]) -> dict[str, Any]:
        name = call["step"]["id"]
        self.seen.append(name)
        if name in self.refuse:
            return {"kind": "failed", "detail": f"{name} is forbidden"}
        return {"kind": "done", "detail": f"{name} is through", "result": {"said": name}}


def carried(team: Team, **changes: Any) -> tuple[Context, Any]:
    context = Context(team)
    return context, run(respond_to_event(context, json.dumps(document(**changes))))


def statuses(outcome: Any) -> dict[str, str]:
    return {line["id"]: line["status"] for line in outcome["steps"]}


def test_steps_are_performed_in_order_and_read_what_went_before():
    team = Team()
    steps = [step("one"), step("two", **{"with": {"text": "${steps.one.said}"}}), step("three")]
    context, outcome = carried(team, steps=steps)
    assert team.seen == ["one", "two", "three"]
    assert [call.results for call in context.calls] == [{}, {"one": {"said": "one"}}, {}]
    assert (outcome["status"], outcome["because"]) == ("done", None)
    assert statuses(outcome) == {"one": "done", "two": "done", "three": "done"}


def test_a_failure_ends_the_steps_and_begins_those_of_on_failure():
    team = Team("one")
    context, outcome = carried(team)
    assert team.seen == ["one", "on_failure.alarm", "on_failure.mail"]
    assert (outcome["status"], outcome["because"]) == ("failed", "step 'one': one is forbidden")
    assert statuses(outcome)["two"] == "skipped"
    failure = context.calls[1].failure
    assert failure
    assert (failure.step, failure.uses, failure.status) == ("one", "notify", "failed")
    assert "one is forbidden" in failure.message


def test_every_step_of_on_failure_is_tried():
    team = Team("one", "on_failure.alarm")
    _, outcome = carried(team)
    assert team.seen == ["one", "on_failure.alarm", "on_failure.mail"]
    assert statuses(outcome)["on_failure.alarm"] == "failed"
    assert statuses(outcome)["on_failure.mail"] == "done"


def test_a_response_is_under_way_until_everybody_was_told():
    context, _ = carried(Team("one"))
    told = [shown["status"] for shown in context.shown]
    assert told[-1] == "failed"
    assert set(told[:-1]) == {"running"}


@pytest.mark.parametrize(("alert", "seen"), [(True, ["on_failure.alarm", "on_failure.mail"]), (False, [])])
def test_what_is_settled_is_never_performed_and_told_where_it_should_be(alert, seen):
    team = Team()
    _, outcome = carried(team, status="stopped", because="too old", alert=alert)
    assert team.seen == seen
    assert (outcome["status"], outcome["because"]) == ("stopped", "too old")


class Broken(Team):
    """A team of which one member's answer is of a form that no orchestrator expects."""

    def __init__(self, *broken: str) -> None:
        super().__init__()
        self.broken = broken

    def __call__(self, call: dict[str, Any]) -> dict[str, Any]:
        said = super().__call__(call)
        return {"kind": "pending", "detail": "?"} if call["step"]["id"] in self.broken else said


def test_an_error_of_ours_is_an_outcome_and_people_are_notified():
    team = Broken("one")
    context, outcome = carried(team)
    assert team.seen == ["one", "on_failure.alarm", "on_failure.mail"]
    assert outcome["status"] == "failed"
    assert outcome["because"].startswith("a fault in mlevents: ValueError")
    assert statuses(outcome) == {
        "one": "failed",
        "two": "skipped",
        "on_failure.alarm": "done",
        "on_failure.mail": "done",
    }
    assert context.calls[1].failure
    assert context.calls[1].failure.message == outcome["because"]
    assert context.shown[-1] == outcome


def test_an_error_of_ours_in_a_notification_does_not_keep_the_next_from_being_sent():
    team = Broken("on_failure.alarm")
    _, outcome = carried(team, status="failed", because="a gate", alert=True)
    assert team.seen == ["on_failure.alarm", "on_failure.mail"]
    assert (outcome["status"], statuses(outcome)["on_failure.alarm"]) == ("failed", "failed")


class Unpublished(Context):
    """A context that refuses every custom status but one without steps."""

    def set_custom_status(self, status: Any) -> None:
        if status["steps"]:
            raise ValueError("not serialisable")
        super().set_custom_status(status)


@pytest.mark.parametrize("text", [json.dumps(document()), "{", "[]", "{}", '{"event": 7}'])
def test_a_response_always_ends_with_an_outcome(text: str):
    context = Unpublished(Team())
    outcome = run(respond_to_event(context, text))
    assert outcome["status"] == "failed"
    assert "a fault in mlevents: " in outcome["because"]
    assert context.shown == [outcome]


def test_an_orchestrator_that_is_thrown_away_passes_no_outcome_off():
    context = Context(Team())
    course = respond_to_event(context, json.dumps(document()))
    course.send(None)
    before = list(context.shown)
    course.close()  # raises RuntimeError if the boundary catches GeneratorExit
    assert (getgeneratorstate(course), context.shown) == (GEN_CLOSED, before)


def test_steps_are_handed_what_they_need_and_not_the_raw_event():
    context, _ = carried(Team(), raw="x" * 1_000_000)
    assert all(len(json.dumps(call.to_json())) < 2000 for call in context.calls)


def test_what_is_shown_always_fits():
    steps = [step(f"step-{number}") for number in range(120)]
    team = Team()
    context, outcome = carried(team, steps=steps, because="ü" * 5000)
    assert len(team.seen) == 120
    assert "omitted" in outcome
    assert all(
        len(json.dumps(shown).encode("utf-16-le")) <= 2 * CUSTOM_STATUS_UNITS for shown in context.shown
    )
    assert outcome["status"] == "done"


def test_what_a_step_leaves_and_reports_is_bounded():
    class Talker(Team):
        def __call__(self, call: dict[str, Any]) -> dict[str, Any]:
            return {**super().__call__(call), "result": {"body": "x" * 1_000_000}}

    steps = [step("one"), step("two", **{"with": {"text": "${steps.one.body}"}})]
    context, outcome = carried(Talker(), steps=steps)
    assert len(json.dumps(context.calls[1].to_json())) < 40_000
    assert context.calls[1].results["one"]["body"].startswith("xxx")
    assert len(json.dumps(outcome)) < 40_000


class Throttled(Team):
    """Performs steps, but `late` is throttled for an hour once, and then fails if `ends` says so."""

    def __init__(self, late: str, ends: str = "done") -> None:
        super().__init__()
        self.late, self.ends = late, ends

    def __call__(self, call: dict[str, Any]) -> dict[str, Any]:
        done = super().__call__(call)
        if not call["step"]["id"].endswith(self.late):
            return done
        if self.seen.count(call["step"]["id"]) == 1:
            return {"kind": "transient", "detail": "throttled", "retry_after": 3600.0}
        return done if self.ends == "done" else {"kind": "failed", "detail": "no such channel"}


def patient(name: str, **changes: Any) -> dict[str, Any]:
    return step(name, deferrable=True, retry={"attempts": 3, "first": 1, "max": 1}, **changes)


def test_a_notification_throttled_for_an_hour_holds_up_no_other_step():
    team = Throttled("one")
    context, outcome = carried(team, steps=[patient("one"), step("two"), step("three")])
    assert team.seen == ["one", "two", "three", "one"]
    assert (outcome["status"], set(statuses(outcome).values())) == ("done", {"done"})
    assert context.waits == [3600.0]
    (during,) = [
        one for one in context.shown if statuses(one)["three"] == "done" and statuses(one)["one"] == "running"
    ][:1]
    assert "deferred" in during["steps"][0]["detail"]


def test_a_deferred_step_that_fails_after_all_fails_the_response():
    team = Throttled("one", ends="failed")
    _, outcome = carried(team, steps=[patient("one"), step("two")])
    assert team.seen == ["one", "two", "one", "on_failure.alarm", "on_failure.mail"]
    assert (outcome["status"], outcome["because"]) == ("failed", "step 'one': no such channel")


def test_a_deferred_notification_is_sent_though_a_later_step_fails():
    team = Throttled("one")
    team.refuse = ("two",)
    _, outcome = carried(team, steps=[patient("one"), step("two")])
    assert team.seen[-1] == "one"
    assert (outcome["status"], statuses(outcome)["one"]) == ("failed", "done")


def test_one_throttled_notification_of_a_failure_does_not_delay_the_next():
    team = Throttled("alarm")
    team.refuse = ("one",)
    _, outcome = carried(team, on_failure=[patient("alarm"), patient("mail")])
    assert team.seen == ["one", "on_failure.alarm", "on_failure.mail", "on_failure.alarm"]
    assert statuses(outcome)["on_failure.alarm"] == "done"
    assert outcome["status"] == "failed"


def test_a_step_whose_result_is_read_later_is_awaited():
    team = Throttled("one")
    carried(team, steps=[patient("one"), step("two", **{"if": "${steps.one.said == 'one'}"})])
    assert team.seen == ["one", "one", "two"]


def test_a_response_of_an_earlier_release_defers_nothing():
    team = Throttled("one")
    retry = {"attempts": 3, "first": 1, "max": 1}
    carried(team, steps=[step("one", retry=retry), step("two")])
    assert team.seen == ["one", "one", "two"]


def test_a_step_that_the_rule_file_does_not_allow_is_refused_and_reported():
    class Guarded(Team):
        def __call__(self, call: dict[str, Any]) -> dict[str, Any]:
            super().__call__(call)
            if call["step"]["id"] == "one":
                return {"kind": "refused", "detail": "the event names 'payments'"}
            return {"kind": "done", "detail": "", "result": {}}

    team = Guarded()
    context, outcome = carried(team)
    assert team.seen == ["one", "on_failure.alarm", "on_failure.mail"]
    assert outcome["status"] == "refused"
    assert statuses(outcome)["one"] == "refused"
    assert statuses(outcome)["two"] == "skipped"
    assert context.calls[1].failure
    assert context.calls[1].failure.status == "refused"


def test_a_rollout_that_is_not_allowed_refuses_the_response():
    answer = Answer(AnswerKind.REFUSED, "the event names 'payments'")
    with pytest.raises(StepRefusedError, match="payments"):
        raise_unless_successful(answer)


EARLIER = [
    {"id": "one", "uses": "notify", "status": "done", "detail": "sent"},
    {"id": "two", "uses": "notify", "status": "running", "detail": "half-way"},
    {"id": "on_failure.alarm", "uses": "notify", "status": "done", "detail": "told"},
]


def test_another_attempt_begins_with_what_the_one_before_had_done():
    context, outcome = carried(Team(), attempt=2, earlier=EARLIER)
    first = context.shown[0]["steps"]
    assert [(line["id"], line["status"], line["detail"]) for line in first] == [
        ("one", "done", "sent"),
        ("two", "waiting", ""),
        ("on_failure.alarm", "done", "told"),
    ]
    assert statuses(outcome) == {"one": "done", "two": "done", "on_failure.alarm": "done"}


def test_another_attempt_that_fails_shows_each_step_once():
    _, outcome = carried(Team("two"), attempt=2, earlier=EARLIER)
    assert [line["id"] for line in outcome["steps"]] == ["one", "two", "on_failure.alarm", "on_failure.mail"]
    assert outcome["steps"][2]["detail"] == "on_failure.alarm is through"


def test_a_settled_response_keeps_the_lines_of_what_was_done():
    lines = [EARLIER[0], {**EARLIER[1], "status": "failed"}]
    _, outcome = carried(Team(), status="failed", because="ended", alert=False, attempt=4, earlier=lines)
    assert [(line["id"], line["status"], line["detail"]) for line in outcome["steps"]] == [
        ("one", "done", "sent"),
        ("two", "failed", "half-way"),
    ]


def test_versions_of_one_key_meet_however_their_topics_are_written() -> None:
    topic = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
    store: dict[str, Any] = {}
    found = []
    for written, version in ((topic, "9"), (topic.upper() + "/", "8")):
        known = document(gates={"order": {"key": "net", "by": version}})
        known["event"]["topic"] = written
        outcome = run(respond_to_event(Context(Team(), store), json.dumps(known)))
        found.append(outcome["status"])
    assert found == ["done", "stopped"]


def test_the_first_attempt_looks_for_a_hold_and_no_other_one() -> None:
    team = Team()
    context, outcome = carried(team)
    assert [call.unless_held for call in context.calls] == [True, False]
    assert (context.hold_reads, outcome["status"]) == (0, "done")


class Hold(Team):
    """A team whose rule an operator holds until the first attempt has found that."""

    def __call__(self, call: dict[str, Any]) -> dict[str, Any]:
        return (
            {"kind": "held", "detail": "the rule is held"}
            if call.get("unless_held")
            else super().__call__(call)
        )


def test_a_first_attempt_that_finds_a_hold_performs_when_it_is_released() -> None:
    team, context = Hold(), Context(Hold())
    context.perform, context.holds = team, [{"hold": "hold: by ann"}, {}]
    outcome = run(respond_to_event(context, json.dumps(document())))
    assert (team.seen, outcome["status"], context.waits) == (["one", "two"], "done", [60.0])
    [held] = [shown for shown in context.shown if shown["status"] == "waiting"]
    assert (held["because"], statuses(held)["one"]) == ("hold: by ann", "waiting")


def test_a_response_with_gates_asks_for_a_hold_before_them() -> None:
    context, _ = carried(Team(), gates={"order": {"key": "net", "by": "1"}})
    assert (context.hold_reads, [call.unless_held for call in context.calls]) == (1, [False, False])


def test_a_retry_of_what_has_begun_is_not_held() -> None:
    answers = [{"kind": "transient", "detail": "busy"}, {"kind": "done", "detail": ""}]
    steps = [step("one", retry={**RETRY, "attempts": 2})]
    context = Context(lambda _: answers.pop(0))
    run(respond_to_event(context, json.dumps(document(steps=steps))))
    assert [call.unless_held for call in context.calls] == [True, False]
