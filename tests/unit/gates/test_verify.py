"""The model or the run is read again before the response acts, and `where` is matched again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from mlevents.errors import PermanentError
from mlevents.event_history.refreshed_event import GoneError, refresh_model
from mlevents.events import Event, parse
from mlevents.gates.gate import Gate, gate
from mlevents.gates.verify import Verify, describe_failure
from mlevents.matching.condition_tree import FailedCondition
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.responses.step_activity import catch_errors
from mlevents.services.machine_learning.registered_models import ModelVersion
from mlevents.services.machine_learning.run_history import Experiment, HistoricRun
from tests.unit.gates.gate_world import WORKSPACE, GateWorld, make_step
from tests.unit.rules.rule_files import HEAD, TELL, problems

THEN = datetime(2026, 1, 1, tzinfo=UTC)
BREACH = (
    "The signal 'inputs' has failed due to one or more features violating metric thresholds.\n"
    '[\'{"group":"amount","metric_value":0.4,"metric_name":"M","threshold_value":0.1}\']'
)


@dataclass
class Registry:
    """What Azure ML would answer now; `asked` is what was read."""

    model: ModelVersion | None = None
    archived: bool = False
    run: HistoricRun | None = None
    asked: list[str] = field(default_factory=list)

    def find_version(self, name: str, version: str) -> ModelVersion | None:
        self.asked.append(f"{name}:{version}")
        return self.model

    def is_archived(self, _: str) -> bool:
        return self.archived

    def find_run(self, run_id: str) -> HistoricRun | None:
        self.asked.append(run_id)
        return self.run

    def find_experiment(self, experiment_id: str) -> Experiment | None:
        return Experiment(experiment_id, "nightly")

    def machine_learning(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(models=self, runs=self)

    def answer(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """What ReadForGate answers."""
        response = query["response"]
        own = Verify.model_validate(response["gates"]["verify"])

        def read() -> Answer:
            names = response["event"]["names"]
            return Answer(AnswerKind.DONE, "", result=dict(own.read(names, query["document"], self)))  # type: ignore[arg-type]

        return catch_errors("verify", read).to_json()


def model(tags: dict[str, str], **changes: Any) -> ModelVersion:
    return ModelVersion("net", "7", THEN, tags, **changes)


def run(status: str, tags: dict[str, str]) -> HistoricRun:
    return HistoricRun("r1", status, "azureml.StepRun", "e1", THEN, THEN, tags)


def registered(tags: dict[str, str]) -> dict[str, Any]:
    document = {
        "id": "1",
        "topic": WORKSPACE,
        "subject": "models/net:7",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {"modelName": "net", "modelVersion": "7", "modelTags": tags},
    }
    return parse(document).to_json()


def changed(status: str, tags: dict[str, str]) -> dict[str, Any]:
    document = {
        "id": "2",
        "topic": WORKSPACE,
        "subject": "experiments/e1/runs/r1",
        "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {"runId": "r1", "runStatus": status, "runTags": tags},
    }
    return parse(document).to_json()


def rule(where: dict[str, Any] | None, kind: str = "model.registered", **gates: Any) -> dict[str, Any]:
    return {"event": [kind], "kind": kind, "where": where, "gates": gates}


UNHELD = {"model": {"tags": {"stage": ["prod", "production"], "hold": {"absent": True}}}}


def verified(
    azure: Registry, world: GateWorld | None = None, where: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    world = world or GateWorld()
    world.reads = azure.answer
    given = {"event": registered({"stage": "prod"}), "written_rule": rule(where or UNHELD), **changes}
    return world.respond("one", {"verify": ["model"], **given.pop("gates", {})}, **given)


def test_a_response_acts_when_where_still_holds():
    done = verified(azure := Registry(model({"stage": "prod"})))
    assert done["status"] == "done"
    assert azure.asked == ["net:7"]
    assert done["gates"] == [{"gate": "verify", "status": "passed", "detail": "read again: nothing changed"}]


def test_a_tag_that_was_set_since_stops_it_and_says_which():
    stopped = verified(Registry(model({"stage": "prod", "hold": "legal"})))
    assert stopped["status"] == "stopped"
    assert stopped["because"] == "verify: model.tags.hold is 'legal' now, wanted absent"


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (FailedCondition("where.run.status", "failed", None), "run.status is absent now, wanted 'failed'"),
        (FailedCondition("where.a", ["b", "c"], "d"), "a is 'd' now, wanted one of 'b', 'c'"),
        (FailedCondition("where.a", {"gte": 0.92}, "0.5"), "a is '0.5' now, wanted gte 0.92"),
        (
            FailedCondition("where.a", {"not": {"x": 1}}, {"y": "z"}),
            'a is {"y": "z"} now, wanted not {"x": 1}',
        ),
    ],
)
def test_what_failed_is_said_with_wanted_and_found(failed: FailedCondition, said: str):
    assert describe_failure(failed) == said


@pytest.mark.parametrize(
    ("azure", "why"),
    [
        (Registry(), "the model 'net:7' is not registered any more"),
        (Registry(model({"stage": "prod"}, archived=True)), "the model 'net:7' is archived"),
        (Registry(model({"stage": "prod"}), archived=True), "the model 'net:7' is archived"),
    ],
)
def test_a_model_that_is_gone_or_archived_stops_the_response(azure: Registry, why: str):
    assert verified(azure)["because"] == f"verify: {why}"


def test_a_model_whose_event_says_that_it_is_archived_is_read_again():
    def tagged(archived: bool) -> Event:
        members = {"modelName": "net", "modelVersion": "7", "modelArchived": archived, "modelStage": "Prod"}
        return parse({"id": "3", "source": WORKSPACE, "type": "mlevents.ModelTagged", "data": members})

    azure = Registry(model({"a": "b"}, archived=True, stage="Retired"))
    fresh = refresh_model(tagged(True), azure).names["model"]
    assert fresh.items() >= {"tags": {"a": "b"}, "archived": True, "stage": "Retired"}.items()
    with pytest.raises(GoneError, match="is archived"):
        refresh_model(tagged(False), azure)


def test_what_is_read_replaces_the_events_values_for_steps_and_later_gates():
    world = GateWorld()
    throttle = {"key": "${model.tags.team}", "once_per": "12h"}
    gates = {"throttle": {"key": "risk", "once_per": "12h"}}
    azure = Registry(model({"stage": "production", "team": "fraud"}, properties={"a": "b"}))
    steps = [make_step("act", **{"with": {"text": "${model.tags.team} ${model.properties.a}"}})]
    event = registered({"stage": "prod", "team": "risk"})
    event["names"]["model"]["properties"] = {"a": "a"}
    terms = rule(UNHELD, throttle=throttle)
    done = verified(azure, world, gates=gates, written_rule=terms, steps=steps, event=event)
    names = world.performed[0]["response"]["event"]["names"]
    assert names["model"] == {"tags": {"team": "fraud"}, "properties": {"a": "b"}}
    assert done["gates"][0]["detail"] == "read again: model changed"
    again = world.respond("two", {"throttle": {"key": "fraud", "once_per": "12h"}})
    assert again["because"].startswith("throttle: rule.one acted for 'fraud'")


def test_a_value_that_a_step_lost_fails_the_response_before_its_first_step():
    world = GateWorld()
    steps = [make_step("act", **{"with": {"text": "${model.tags.team}"}})]
    event = registered({"stage": "prod", "team": "risk"})
    failed = verified(Registry(model({"stage": "prod"})), world, event=event, steps=steps)
    assert failed["status"] == "failed"
    assert "model.tags.team" in failed["because"]
    assert [call["step"]["id"] for call in world.performed] == ["on_failure.alarm"]


def test_a_read_that_fails_for_good_fails_and_notifies():
    class Closed(Registry):
        def find_version(self, name: str, version: str) -> ModelVersion | None:
            raise PermanentError(f"no right to read {name}:{version}")

    world = GateWorld()
    failed = verified(Closed(), world)
    assert failed["status"] == "failed"
    assert failed["because"].startswith("verify: ")
    assert failed["gates"][0]["status"] == "failed"
    assert [call["step"]["id"] for call in world.performed] == ["on_failure.alarm"]


RUN_FAILED = {"run": {"status": "failed"}}


def test_a_run_that_has_another_status_now_stops_the_response():
    azure = Registry(run=run("Running", {}))
    stopped = verified(
        azure,
        event=changed("Failed", {}),
        written_rule=rule(RUN_FAILED, "run.status_changed"),
        gates={"verify": ["run"]},
    )
    assert stopped["because"] == "verify: run.status is 'Running' now, wanted 'failed'"
    assert azure.asked == ["r1"]


def test_a_drift_whose_run_has_no_breach_any_more_is_none():
    tags = {"azureml_modelmonitor_threshold_breached": BREACH}
    event = changed("Failed", tags)
    assert event["kinds"] == ["run.status_changed", "drift.detected"]
    drift: dict[str, Any] = {
        "event": event,
        "written_rule": rule(None, "drift.detected"),
        "gates": {"verify": ["run"]},
    }
    assert verified(Registry(run=run("Failed", tags)), **drift)["status"] == "done"
    stopped = verified(Registry(run=run("Failed", {})), **drift)
    assert stopped["because"] == "verify: event is 'run.status_changed' now, wanted 'drift.detected'"


def test_an_event_without_the_subject_has_nothing_to_read():
    azure = Registry()
    done = verified(azure, gates={"verify": ["run"]})
    assert (done["status"], azure.asked) == ("done", [])


def test_it_is_read_again_when_a_later_gate_has_waited(monkeypatch: pytest.MonkeyPatch):
    class Pause(Gate):
        """Waits for an hour."""

        position = 100
        stage = "response"

        def admit(self, visit: Any, /) -> Any:
            yield from visit.wait(visit.now + timedelta(hours=1), "until then")

    gate.names()
    monkeypatch.setitem(gate._elements, "pause", Pause)
    azure = Registry(model({"stage": "prod"}))
    states = [azure, Registry(model({"stage": "prod", "hold": "legal"}))]
    world = GateWorld(reads=lambda query: states.pop(0).answer(query))
    given = {"event": registered({"stage": "prod"}), "written_rule": rule(UNHELD)}
    stopped = world.respond("one", {"verify": ["model"], "pause": {}}, **given)
    assert stopped["because"] == "verify: model.tags.hold is 'legal' now, wanted absent"
    assert states == []


@pytest.mark.parametrize(
    ("event", "written", "said"),
    [
        ("drift.detected", "[model]", "verify[0]: the events of this rule have no model: they have run"),
        (
            "model.deployed",
            "[run]",
            "verify[0]: the events of this rule have no run: they have neither a model",
        ),
        ("model.registered", "[]", "verify: must not be empty"),
        ("run.completed", "model", "verify: the events of this rule have no model: they have run"),
        ("model.registered", "modl", "must be 'model' or 'run', not the text 'modl'"),
        ("model.registered", "[modl]", "verify[0]: must be 'model' or 'run', not the text 'modl'"),
        ("model.registered", "[model, model]", "verify[1]: 'model' is listed twice: remove one"),
    ],
)
def test_what_cannot_be_verified_is_refused(event: str, written: str, said: str):
    head = HEAD.replace("model.registered", event)
    assert event in head
    [problem] = problems(f"{head}    verify: {written}\n{TELL}")
    assert said in problem


def test_one_subject_needs_no_list():
    assert Verify.model_validate("run") == Verify.model_validate(["run"])
    assert problems(f"{HEAD}    verify: model\n{TELL}") == []
