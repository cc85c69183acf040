"""A run that completes is a recovery only when the run of its experiment before it had failed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from mlevents.events import parse
from mlevents.gates.recovered import MOST_RUN_PAGES, Recovered
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.services.machine_learning.run_history import Experiment, HistoricRun
from mlevents.services.paging import Page
from tests.unit.gates.gate_world import WORKSPACE, GateWorld
from tests.unit.rules.rule_files import HEAD, TELL, problems

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def run(name: str, status: str, minutes: int, parent: str = "") -> HistoricRun:
    ended = THEN + timedelta(minutes=minutes)
    return HistoricRun(name, status, None, "e", ended - timedelta(seconds=30), ended, parent=parent)


@dataclass
class Azure:
    """The runs of one experiment, a run a page."""

    runs: list[HistoricRun]
    asked: int = 0

    def find_run(self, run_id: str) -> HistoricRun | None:
        return next((one for one in self.runs if one.id == run_id), None)

    def find_experiment(self, experiment_id: str) -> Experiment:
        return Experiment(experiment_id, "nightly")

    def list_runs(self, _: Experiment, created: datetime, following: str | None) -> Page[HistoricRun]:
        self.asked += 1
        index, found = int(following or 0), [one for one in self.runs if one.created >= created]
        return Page(tuple(found[index : index + 1]), str(index + 1) if index + 1 < len(found) else None)

    def answer(self, query: dict[str, Any]) -> dict[str, Any]:
        services: Any = SimpleNamespace(machine_learning=lambda _: SimpleNamespace(runs=self))
        own = Recovered.model_validate(query["response"]["gates"]["recovered"])
        found = own.read(query["response"]["event"]["names"], query["document"], services)
        return Answer(AnswerKind.DONE, "", result=dict(found)).to_json()


def respond(*runs: HistoricRun, within: str = "1h") -> dict[str, Any]:
    document = {
        "id": "1",
        "topic": WORKSPACE,
        "subject": "experiments/e/runs/r",
        "eventType": "Microsoft.MachineLearningServices.RunCompleted",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {"experimentId": "e", "experimentName": "nightly", "runId": "r", "runType": "x"},
    }
    world = GateWorld(reads=Azure(list(runs)).answer)
    gates = {"recovered": {"within": within}}
    return world.respond("one", gates, event=parse(document).to_json())


OWN = run("r", "Completed", 60)


@pytest.mark.parametrize(
    "others",
    [
        [run("f", "Failed", 30)],
        [run("c", "Completed", 20), run("f", "Failed", 30)],
        [run("f", "Failed", 30), run("x", "Canceled", 40)],
        [run("f", "Failed", 30), run("step", "Completed", 31, parent="f"), run("later", "Completed", 70)],
    ],
)
def test_a_run_that_completes_after_a_failure_acts(others: list[HistoricRun]) -> None:
    done = respond(OWN, *others)
    assert done["status"] == "done"
    assert done["gates"][0]["detail"] == "run 'f' failed before it"


@pytest.mark.parametrize(
    ("runs", "because"),
    [
        ([OWN], "no run failed before it: no run ended in 1 h"),
        ([OWN, run("f", "Failed", 30), run("c", "Completed", 40)], "no run failed before it: 'c' completed"),
        ([OWN, run("f", "Failed", 70)], "no run failed before it: no run ended in 60 min"),
        ([OWN, run("f", "Failed", -30)], "no run failed before it: no run ended in 60 min"),
        ([run("r", "Failed", 60), run("f", "Failed", 30)], "the run is Failed now, wanted Completed"),
        ([run("f", "Failed", 30)], "the run is gone now, wanted Completed"),
        ([run("r", "Completed", 60, parent="p"), run("f", "Failed", 30)], "the run is part of 'p'"),
    ],
)
def test_any_other_run_stops(runs: list[HistoricRun], because: str) -> None:
    done = respond(*runs)
    assert (done["status"], done["because"]) == ("stopped", f"recovered: {because}".replace("1 h", "60 min"))


def test_the_failures_in_a_row_are_counted_and_the_pages_are_limited() -> None:
    runs = [OWN, *(run(f"f{n}", "Failed", 50 - n) for n in range(3)), run("c", "Completed", 5)]
    azure = Azure(runs)
    services: Any = SimpleNamespace(machine_learning=lambda _: SimpleNamespace(runs=azure))
    own = Recovered.model_validate({"within": "1h"})
    found = own.read({"run": {"id": "r"}}, {"topic": WORKSPACE}, services)
    assert found == {"run": "f0", "failed": "2026-01-01T00:50:00+00:00", "failures": 3}
    azure.runs += [run(f"x{n}", "Canceled", 50) for n in range(20)]
    azure.asked = 0
    own.read({"run": {"id": "r"}}, {"topic": WORKSPACE}, services)
    assert azure.asked == MOST_RUN_PAGES


def test_the_events_of_the_rule_must_have_a_run() -> None:
    [problem] = problems(f"{HEAD}    recovered: {{within: 7d}}\n{TELL}")
    assert "the events of this rule have no run" in problem
