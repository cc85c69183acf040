"""Links in rules: known where there is such a link, and inserted when the step runs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlevents.errors import RulesError
from mlevents.events import Event
from mlevents.explanations.rule_explanation import ExplainContext, explain_rule
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.matching.match import match_rule
from mlevents.orchestration.messages import Failure, Response
from mlevents.orchestration.step_plan import RetryPlan, StepPlan
from mlevents.responses.step_input import begin_call
from mlevents.responses.step_names import find_step_names
from mlevents.rules.file import load_rules
from mlevents.settings import Settings
from tests.unit.stand_ins import WORKSPACE

RULES = """\
version: 1
endpoints: "*"
connections: {team: {type: apprise, url: {setting: TEAM}}}
rules:
  - id: one
    event: EVENT
    on_failure: [{uses: notify, with: {to: team, subject: failed, text: "${FAILURE}"}}]
    do:
      - {uses: notify, with: {to: team, subject: first, text: "${FIRST}"}}
      - {uses: deploy_model, with: {template: small.yaml, model: "net:1", endpoint: fraud}}
      - {uses: notify, with: {to: team, subject: last, text: "${LAST}"}}
"""
SETTINGS = Settings(environment={"TEAM": "json://localhost"})
WSID = f"?wsid={WORKSPACE}"


def find_faults(folder: Path, event: str = "model.registered", more: str = "", **texts: str) -> list[str]:
    rules = RULES.replace("EVENT", event).replace("    do:", f"{more}    do:")
    for place in ("first", "last", "failure"):
        rules = rules.replace(f"{{{place.upper()}}}", f"{{{texts.get(place, 'response.id')}}}")
    (folder / "rules.yaml").write_text(rules)
    (folder / "small.yaml").write_text("instance_type: Standard_DS3_v2\ninstance_count: 1\n")
    try:
        load_rules(folder / "rules.yaml", SETTINGS)
    except RulesError as error:
        return [problem.text for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("event", "place", "name"),
    [
        ("model.registered", "first", "model.link"),
        ("run.status_changed", "first", "run.link"),
        ("drift.detected", "first", "drift.link ~ run.link | default('')"),
        ("model.deployed", "first", "endpoint.link ~ endpoint.name"),
        ("model.registered", "last", "endpoint.link"),
        ("model.registered", "failure", "endpoint.link ~ response.link"),
        ("model.registered", "first", "response.link ~ response.rule ~ response.id"),
    ],
)
def test_a_link_is_known_where_there_is_one(tmp_path: Path, event: str, place: str, name: str):
    assert find_faults(tmp_path, event, **{place: name}) == []


@pytest.mark.parametrize(
    ("event", "place", "name", "fault"),
    [
        ("run.completed", "first", "model.link", "unknown name 'model': it belongs to model.registered"),
        ("model.registered", "first", "event.link", "event has no 'link'"),
        (
            "model.registered",
            "first",
            "endpoint.link",
            "unknown name 'endpoint': only steps can read it, after one that deploys or in a rule for",
        ),
        ("model.registered", "last", "endpoint.lnk", "endpoint has no 'lnk' (did you mean 'link'?)"),
        ("model.registered", "first", "response.lnk", "response has no 'lnk' (did you mean 'link'?)"),
    ],
)
def test_a_link_is_unknown_elsewhere(tmp_path: Path, event: str, place: str, name: str, fault: str):
    (found,) = find_faults(tmp_path, event, **{place: name})
    assert found.startswith(fault)


def test_a_gate_reads_the_links_of_an_event_and_not_those_of_the_response(tmp_path: Path):
    assert find_faults(tmp_path, more='    dedupe: "${model.link}"\n') == []
    (found,) = find_faults(tmp_path, more='    dedupe: "${response.link}"\n')
    assert "unknown name 'response': only steps can read it" in found


def test_a_condition_cannot_compare_a_link(tmp_path: Path):
    (found,) = find_faults(tmp_path, more="    where: {model: {link: {prefix: https}}}\n")
    assert found == "'link' is computed for values of steps: write conditions on the other names"


def test_explain_inserts_the_links_of_the_event_and_says_what_is_known_later(tmp_path: Path):
    assert find_faults(tmp_path, first="model.link", last="endpoint.link", failure="response.link") == []
    event = Event("e1", "model.registered", ("model.registered",), None, "s", WORKSPACE, EVENT)
    (rule,) = load_rules(tmp_path / "rules.yaml", SETTINGS).rules
    found = explain_rule(match_rule(rule, event), event, ExplainContext(datetime.now(UTC), 3))
    texts = {
        one.text: one.holds for part in found.steps for one in part.values if one.text.startswith("text")
    }
    link = f"https://ml.azure.com/model/net:7/details{WSID}"
    assert texts == {f'text: "{link}"': True, 'text: "${endpoint.link}" (known when the step runs)': None}


def test_a_response_link_that_is_missing_says_what_to_set():
    names = read_names("${response.link}", {})
    with pytest.raises(ExpressionError, match="the address of the app is unknown: set MLEVENTS_ADDRESS"):
        render_value("${response.link}", names)


RETRY = RetryPlan(1, 1, 1)
EVENT: dict[str, Any] = {
    "workspace": {"id": WORKSPACE, "name": "w"},
    "model": {"name": "net", "version": "7", "tags": {"big": "x" * 9000}},
    "run": {"id": "r1"},
}


def read_names(said: str, results: dict[str, Any], settings: Settings = SETTINGS) -> dict[str, Any]:
    """What a step that says this may read when it runs."""
    event = Event("e1", "t", (), None, "s", WORKSPACE, EVENT)
    step = StepPlan("s", "notify", RETRY, {"to": "team", "subject": "s", "text": said})
    failure = Failure("d", "deploy_model", "failed", "no quota", {"endpoint": "failed-one"})
    call = begin_call(Response("one.1", "one", event), step, results, failure if "failure" in said else None)
    return find_step_names(call, settings)


def test_a_step_gets_what_its_links_are_made_of_and_no_more():
    names = read_names("${model.link} ${endpoint.link}", {"deploy": {"endpoint": "fraud", "log": ["l"] * 99}})
    assert names["model"] == {"name": "net", "version": "7"}
    assert names["workspace"] == {"id": WORKSPACE}
    assert names["steps"] == {"deploy": {"endpoint": "fraud"}}
    assert names["endpoint"] == {"name": "fraud"}
    assert "run" not in names


def test_the_endpoint_is_that_of_the_last_step_or_of_the_failed_one():
    results = {"a": {"endpoint": "first"}, "b": {"endpoint": "second", "workspace": "other"}, "c": {}}
    assert read_names("${endpoint.name}", results)["endpoint"] == {"name": "second", "workspace": "other"}
    assert read_names("${failure.message} ${endpoint.name}", {})["endpoint"] == {"name": "failed-one"}
    assert "endpoint" not in read_names("${endpoint.name}", {})


def test_the_response_has_a_link_where_the_address_of_the_app_is_known():
    known = Settings(address="https://ml.example.com", environment={"AZURE_TENANT_ID": "t"})
    names = read_names("${response.link}", {}, known)
    link = "https://ml.example.com/api/console/responses/one.1"
    assert names["response"] == {"id": "one.1", "rule": "one", "link": link}
    assert names["tenant"] == "t"
    assert "link" not in read_names("${response.link}", {})["response"]
