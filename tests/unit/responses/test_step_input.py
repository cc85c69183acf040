"""A step is given what it names: enough that nothing changes for it, and no more."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.action import StepContext
from mlevents.actions.notify.message_templates import render as render_template
from mlevents.events import Event
from mlevents.expressions.interpolation import ExpressionError, render_value
from mlevents.message_templates.template_engine import template_names
from mlevents.orchestration.answer import Answer, AnswerKind
from mlevents.orchestration.messages import Call, Failure, Response
from mlevents.orchestration.serialization import to_text
from mlevents.orchestration.size_limits import PROGRESS_UNITS, RESULT_UNITS, cut_answer, json_units
from mlevents.orchestration.step_plan import RetryPlan, StepPlan
from mlevents.responses.decision import decide
from mlevents.responses.step_input import begin_call, select_paths
from mlevents.rules.file import load_rules
from mlevents.settings import Settings

RETRY = RetryPlan(1, 1, 1)
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
WORKSPACE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w"
BIG = "x" * 900_000
SMALL = 8_000
"""Characters of an activity's input, where nothing large is named."""
RULES = """
version: 1
endpoints: "*"
defaults:
  on_failure: [{uses: notify, with: {to: team, template: response-failed}}]
connections:
  team: {type: apprise, url: {setting: TEAM_URL}}
  other: {type: apprise, url: {setting: TEAM_URL}}
rules:
  - id: deploy
    event: model.registered
    order: {key: "${model.name}", by: "${model.version}"}
    require: {metric_tag: accuracy, at_least: champion}
    do:
      - id: deploy
        uses: deploy_model
        with:
          endpoint: "${model.tags.endpoint}"
          template: small.yaml
          rollout:
            steps: [{percent: 10, for: 15m}, {percent: 100}]
            checks: [{metric: error_rate, max: 0.01}]
      - {uses: notify, with: {to: team, template: model-deployed}}
      - {uses: notify, with: {to: other, subject: "${steps.deploy.endpoint}", text: "${model.tags.big}"}}
"""
TEMPLATE = """
name: x
endpoint_name: y
model: azureml:m:1
instance_type: Standard_DS3_v2
instance_count: 1
environment_variables: {OWNER: "${model.tags['a.owner'] | default('nobody')}"}
"""


@pytest.fixture
def deploying(tmp_path: Path) -> Response:
    """The response to a model with a tag of 900 KB."""
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "small.yaml").write_text(TEMPLATE)
    settings = Settings(environment={"TEAM_URL": "json://localhost"})
    tags = {"big": BIG, "endpoint": "fraud", "a.owner": "ann", "accuracy": "0.9", "other": "y" * 900}
    event = {
        "id": "e1",
        "topic": WORKSPACE,
        "subject": "models/net:7",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2026-01-02T11:00:00Z",
        "data": {"modelName": "net", "modelVersion": "7", "modelTags": tags},
    }
    [one] = decide(json.dumps(event), load_rules(tmp_path / "rules.yaml", settings), settings, NOW)
    assert one.status == "running"
    return Response.from_json(json.loads(json.dumps(one.to_json())))


def call(response: Response, number: int, **names: Any) -> Call:
    return begin_call(response, response.steps[number], **names)


def size(one: Call) -> int:
    return len(to_text(one.to_json()))


def test_a_large_tag_is_in_the_input_of_the_step_alone_that_names_it(deploying):
    results = {"deploy": {"endpoint": "fraud", "log": ["z" * 500]}}
    sizes = [size(call(deploying, number, results=results)) for number in range(3)]
    assert max(sizes[:2]) < SMALL
    assert sizes[2] > len(BIG)


def test_the_failure_of_a_step_is_told_without_large_values(deploying):
    failure = Failure("deploy", "deploy_model", "failed", "no quota")
    failed = begin_call(deploying, deploying.on_failure[0], {}, failure)
    assert size(failed) < SMALL
    assert failed.failure == failure


def test_a_rollout_is_given_what_its_parameters_files_gates_and_action_read(deploying):
    given = call(deploying, 0).response
    tags = {"endpoint": "fraud", "a.owner": "ann", "accuracy": "0.9"}
    model = {"name": "net", "version": "7", "tags": tags}
    assert given.event.names == {"model": model}
    assert list(given.files) == ["small.yaml"]
    assert given.connections == {}
    assert {name: getattr(given.event, name) for name in ("id", "type", "topic", "time", "subject")} == {
        "id": "e1",
        "type": "model.registered",
        "topic": WORKSPACE,
        "time": "2026-01-02T11:00:00Z",
        "subject": "models/net:7",
    }


def test_a_step_is_given_its_own_connection_and_the_results_that_it_names(deploying):
    results = {"deploy": {"endpoint": "fraud", "studio": "https://ml"}, "notify": {"sent": ["team"]}}
    given = call(deploying, 2, results=results)
    assert list(given.response.connections) == ["other"]
    assert given.results == {"deploy": {"endpoint": "fraud"}}


@pytest.mark.parametrize(
    "text",
    [
        "a: ${ broken",
        'a: "${model.tags[\\"big\\"]}"',
        'a: "\\u0024{model.tags.big}"',
        "a: '${model.tags[''big'']}'",
    ],
)
def test_a_file_whose_expressions_cannot_be_told_from_its_text_is_given_everything(deploying, text):
    given = call(replace(deploying, files={"small.yaml": text}), 0)
    assert given.response.event.names["model"]["tags"]["big"] == BIG


def test_an_event_with_a_long_subject_does_not_travel_whole(deploying):
    names = {**deploying.event.names, "event": {"subject": BIG, "id": BIG}}
    event = replace(deploying.event, subject=BIG, id=BIG, names=names)
    given = call(replace(deploying, event=event), 0)
    assert size(replace(given, notices=())) < SMALL
    assert given.response.event.id[:256] == BIG[:256]  # what a provenance tag holds


NAMES: dict[str, Any] = {
    "event": {"id": "e1", "type": "t"},
    "model": {"name": "net", "tags": {"a": "1", "a.b": "2", "c": "3"}, "files": ["x", "y"]},
    "steps": {"one": {"said": "yes", "list": [1, {"deep": "z"}]}, "two": {"said": "no"}},
}
EXPRESSIONS = st.sampled_from(
    [
        "${model.name}",
        "${model.tags}",
        "${model}",
        "${model.tags['a.b']}",
        "${model.tags.missing}",
        "${model.tags.missing | default(event.id)}",
        "${steps.one.list[1].deep}",
        "${steps.one.list[7]}",
        "${steps.one}",
        "${steps.two.said}",
        "${model.files[1]}",
        "${model.name.deeper}",
        "${event.type ~ model.tags.c}",
        "$${model.tags.c}",
    ]
)


def outcome(value: Any, names: dict[str, Any]) -> Any:
    try:
        return render_value(value, names)
    except ExpressionError as error:
        return str(error)


@given(texts=st.lists(EXPRESSIONS, max_size=4))
def test_a_step_renders_alike_from_what_it_is_given(texts):
    step = StepPlan("s", "notify", RETRY, {"text": " ".join(texts), "list": texts})
    event = Event("e1", "t", (), None, "s", "", {name: NAMES[name] for name in ("event", "model")})
    found = begin_call(Response("r", "rule", event), step, NAMES["steps"])
    names = {**found.response.event.names, "steps": found.results}
    for value in [step.with_, *texts]:
        assert outcome(value, names) == outcome(value, NAMES)


def test_nothing_is_selected_that_is_not_named():
    wanted = [("model", "tags", "a"), ("model", "name"), ("steps", "one", "list", 1, "deep"), ("nobody", "x")]
    assert select_paths(NAMES, wanted) == {
        "model": {"tags": {"a": "1"}, "name": "net"},
        "steps": {"one": {"list": [1, {"deep": "z"}]}},
    }


RUN = {
    "id": "r1",
    "experiment": "x" * 3000,
    "status": "Failed",
    "tags": {"big": "b" * 900_000, "note": "n"},
    "properties": {"azureml.error_message": " out\n of " + "m" * 6000},
}
MODEL = {"name": "net", "version": "7", "tags": {"big": "b" * 900_000}}


@pytest.mark.parametrize("template", template_names())
@pytest.mark.parametrize(
    "names",
    [
        {"run": RUN},
        {"model": MODEL},
        {"deployment": {"models": ["a:1"] * 30}},
        {"drift": {"run": "r1", "breaches": [{"feature": "f", "metric": "m", "value": 0.5}] * 900}},
    ],
)
def test_a_message_reads_alike_from_what_its_step_is_given(template, names):
    event = Event(
        id="e1",
        type="t",
        kinds=(),
        time=None,
        subject="s",
        topic=WORKSPACE,
        names={"event": {"id": "e1", "subject": "s"}, "workspace": {"id": WORKSPACE, "name": "w"}, **names},
    )
    deployed = {
        "endpoint": "fraud",
        "deployment": "net-7",
        "phases": [{"phase": "p", "seconds": 3, "detail": "d"}],
    }
    results = {"first": {"endpoint": "old"}, "deploy": deployed, "other": {"log": ["l" * 900_000]}}
    failed = Failure("deploy", "deploy_model", "failed", "no quota")
    failure = failed.to_json()
    step = StepPlan("s", "notify", RETRY, {"template": template})
    found = begin_call(Response("r", "rule", event), step, results, failed)
    assert json_units(found.to_json()) < 40_000

    def message(names: dict[str, Any]) -> tuple[str, str]:
        context = StepContext(id="r.1", rule="r", step="s", key="k", event=event, names=names)
        return render_template(template, context)

    given = {**found.response.event.names, "steps": found.results, "failure": failure}
    assert message(given) == message({**event.names, "steps": results, "failure": failure})


def test_an_answer_is_bounded_and_says_so():
    cut = cut_answer(Answer(AnswerKind.DONE, "d" * 90_000, {"body": "x" * 1_000_000, "status": 200}))
    assert json_units(cut.to_json()) < RESULT_UNITS + 3000
    assert "cut to 32,000" in cut.detail
    assert cut.result["status"] == 200
    small = Answer(AnswerKind.DONE, "d", {"a": 1})
    assert cut_answer(small) == small


def test_the_progress_of_a_step_is_bounded_and_its_lists_stay_whole() -> None:
    progress = {"log": "x" * 1_000_000, "before": [f"run-{number}" for number in range(1000)]}
    cut = cut_answer(Answer(AnswerKind.PENDING, "d", after=1.0, progress=progress))
    assert json_units(cut.to_json()) < PROGRESS_UNITS + 3000
    assert cut.kind is AnswerKind.PENDING
    assert cut.progress["before"] == progress["before"]


def test_a_step_whose_progress_cannot_be_kept_fails() -> None:
    progress = {"before": [f"run-{number}" for number in range(100_000)]}
    cut = cut_answer(Answer(AnswerKind.PENDING, "about to run", after=1.0, progress=progress))
    assert cut.kind is AnswerKind.FAILED
    assert "more than the limit of 64,000" in cut.detail
    assert "about to run" in cut.detail
