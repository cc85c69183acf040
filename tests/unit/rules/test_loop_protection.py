"""Rules that may cause their own events through jobs and pipelines get the gates that end a loop."""

from pathlib import Path

import pytest

from mlevents.rules.file import load_rules_text
from mlevents.settings import Settings

HEAD = """
version: 1
connections:
  mail: {type: smtp, host: h, sender: a@b.example, to: [t@b.example]}
  factory:
    type: data_factory
    id: /subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/f
rules:
"""
ADF = "{uses: run_data_factory_pipeline, with: {connection: factory, pipeline: retrain}}"
JOB = '{uses: run_ml_pipeline, with: {component: "retrain:1"}}'
MAIL = "{uses: notify, with: {to: mail, subject: s, text: t}}"


def gates_of(tmp_path: Path, *rules: tuple[str, str, str], limit: int = 20) -> list[list[str]]:
    text = HEAD
    for number, (event, step, more) in enumerate(rules):
        text += f"  - {{id: r{number}, event: {event}, do: [{step}]{more}}}\n"
    loaded = load_rules_text(text, tmp_path / "rules.yaml", Settings(loop_limit=limit))
    return [list(rule.gates) for rule in loaded.rules]


@pytest.mark.parametrize("step", [ADF, JOB])
@pytest.mark.parametrize("event", ["model.registered", "run.completed", "run.status_changed"])
def test_a_rule_that_may_cause_its_own_events_is_protected(tmp_path: Path, event: str, step: str):
    assert gates_of(tmp_path, (event, step, "")) == [["lineage", "budget"]]


def test_a_loop_through_two_rules_is_found(tmp_path: Path):
    through = [("model.registered", JOB, ""), ("run.completed", ADF, ""), ("drift.detected", ADF, "")]
    assert gates_of(tmp_path, *through) == [["lineage", "budget"], ["lineage", "budget"], []]


def test_a_rule_that_causes_nothing_of_its_own_is_left_alone(tmp_path: Path):
    assert gates_of(tmp_path, ("model.registered", MAIL, ""), ("drift.detected", JOB, "")) == [[], []]


def test_the_protection_can_be_turned_off_and_replaced(tmp_path: Path):
    own = ", budget: {key: k, at_most: 2, per: 1h}"
    assert gates_of(tmp_path, ("model.registered", JOB, ", lineage: false")) == [["budget"]]
    assert gates_of(tmp_path, ("model.registered", JOB, ""), limit=0) == [["lineage"]]
    assert gates_of(tmp_path, ("model.registered", JOB, own), limit=0) == [["lineage", "budget"]]
    assert gates_of(tmp_path, ("model.registered", MAIL, ", lineage: true")) == [["lineage"]]


def test_the_budget_counts_what_the_rule_acts_on(tmp_path: Path):
    text = f"{HEAD}  - {{id: r, event: model.registered, do: [{JOB}]}}\n"
    [rule] = load_rules_text(text, tmp_path / "rules.yaml", Settings(loop_limit=7)).rules
    names = {"workspace": {"name": "ml"}, "model": {"name": "net"}}
    filled = rule.gates["budget"].fill(names)
    assert (filled["key"], filled["at_most"], filled["per"]) == ("ml net", 7, "86400s")
