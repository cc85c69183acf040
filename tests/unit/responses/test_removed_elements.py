"""A response that began with an own element, which the app does not have any more."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlevents.gates.gate import gates_at
from mlevents.orchestration.messages import Failure, Response
from mlevents.responses.decision import decide
from mlevents.responses.step_activity import attempt_call
from mlevents.responses.step_input import begin_call
from mlevents.rules.extensions import load_extensions, use_extensions
from mlevents.rules.file import load_rules
from mlevents.settings import Settings

ELEMENTS = """\
from mlevents.actions.action import Action, Done, action
from mlevents.gates.gate import Gate, gate


@action("say")
class Say(Action):
    text: str

    def perform(self, context, services):
        return Done(self.text)


@gate("calm")
class Calm(Gate):
    on: str
"""
GATE_ALONE = """\
from mlevents.gates.gate import Gate, gate


@gate("calm")
class Calm(Gate):
    on: str
"""
ACTION_ALONE = ELEMENTS.partition("\n\n\n@gate")[0]
RULES = """\
version: 1
rules:
  - id: speak
    event: model.registered
    calm: {on: "${model.name}"}
    do: [{uses: say, with: {text: "${model.name}"}}]
    on_failure: [{uses: say, with: {text: failed}}]
"""
REMEDY = "the response began when the app had it: deploy its extension again, then rerun the response"
EVENT = {
    "id": "1",
    "topic": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w",
    "subject": "models/net:1",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "eventTime": "2026-01-01T00:00:00Z",
    "data": {"modelName": "net", "modelVersion": "1", "modelTags": {}},
}


@pytest.fixture
def project(tmp_path: Path):
    (tmp_path / "extensions").mkdir()
    (tmp_path / "rules.yaml").write_text(RULES)
    yield tmp_path
    use_extensions(tmp_path.parent / "nowhere" / "rules.yaml")


def deploy(project: Path, elements: str) -> None:
    (project / "extensions" / "own.py").write_text(elements)
    load_extensions(project / "rules.yaml")


@pytest.fixture
def response(project: Path) -> Response:
    """The response of a rule with an action and a gate of its own, as it is stored."""
    deploy(project, ELEMENTS)
    rules = load_rules(project / "rules.yaml", Settings())
    [found] = decide(json.dumps(EVENT), rules, Settings(), datetime(2026, 1, 1, tzinfo=UTC))
    assert found.gates == {"calm": {"on": "net"}}
    return Response.from_json(json.loads(json.dumps(found.to_json())))


def perform(response: Response) -> tuple[str, str]:
    answer = attempt_call(begin_call(response, response.steps[0]), Settings())
    return answer.kind, answer.detail


def test_it_goes_on_while_the_app_has_both(response: Response):
    assert perform(response) == ("done", "net")


def test_without_the_action_the_step_fails_with_its_name(project: Path, response: Response):
    deploy(project, GATE_ALONE)
    assert perform(response) == ("failed", f"unknown action 'say': {REMEDY}")


def test_without_the_gate_the_step_fails_with_its_name(project: Path, response: Response):
    deploy(project, ACTION_ALONE)
    assert perform(response) == ("failed", f"unknown gate 'calm': {REMEDY}")


def test_people_are_notified_of_it_all_the_same(project: Path, response: Response):
    deploy(project, ACTION_ALONE)
    call = begin_call(response, response.on_failure[0], failure=Failure("say", "say", "failed"))
    assert attempt_call(call, Settings()).detail == "failed"


def test_an_orchestrator_that_is_replayed_without_them_makes_the_same_calls(
    project: Path, response: Response
):
    before = begin_call(response, response.steps[0])
    deploy(project, GATE_ALONE.replace("calm", "other"))
    assert begin_call(response, response.steps[0]) == before
    assert gates_at("steps", response.gates) == {}
