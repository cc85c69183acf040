"""A pipeline of Azure DevOps is run once, recognised, and followed to its end."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.preflight_input import Preflight
from mlevents.actions.run_devops_pipeline.action import RunDevopsPipeline
from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.orchestration.step_plan import RetryPlan
from mlevents.services.azure_devops.connection import AzureDevOps
from mlevents.services.services import Services
from mlevents.yamlfile.reader import parse_yaml
from sandbox.azure.faults import Faults
from sandbox.azure.identity import TokenError
from sandbox.devops.answers import SIGN_IN_PAGE
from sandbox.devops.devops import DevOps
from sandbox.devops.pipeline_runs import PipelineFile, PipelineRuns
from sandbox.inboxes.inbox import Inbox
from tests.unit.served_application import served
from tests.unit.stand_ins import Authority, services, step

PAT, KEY, OTHER = "a personal token of the test", "mlevents-01234567890123456789", "mlevents-2"
LINK = "https://dev.azure.com/example/ml/_build/results?buildId=100"
PROMOTE = PipelineFile(7, "promote", {"model": None, "stage": "prod", "mlevents_response": ""}, ("reason",))
PLAIN = PipelineFile(8, "plain", {"model": "any"}, folder="\\ml")


def check_identity(authorization: str | None, _: Any) -> Mapping[str, str]:
    """The identity of `cloud` has one token."""
    if authorization != "Bearer t0ken":
        raise TokenError("InvalidAuthenticationToken", "another token")
    return {"aud": "any"}


@dataclass
class World:
    """An Azure DevOps with one project, as a test sees it."""

    devops: DevOps
    runs: PipelineRuns
    faults: Faults
    address: str
    ca: str

    def connect(self, **changes: Any) -> Services:
        place = {"type": "azure_devops", "organization": f"{self.address}/example", "allow_private": True}
        by_token = {**place, "project": "ml", "token": {"setting": "PAT"}, **changes}
        connections = {"pat": by_token, "identity": {**place, "project": "ml"}}
        return services(connections, REQUESTS_CA_BUNDLE=self.ca, PAT=PAT)

    def perform(self, action: RunDevopsPipeline, progress: Mapping[str, Any], key: str = KEY) -> Outcome:
        context = step(key=key, progress=progress, retry=RetryPlan(attempts=3, first=1, max=1))
        return action.perform(context, self.connect())

    def work(self, action: RunDevopsPipeline, key: str = KEY) -> Done:
        outcome: Outcome = Pending("", 0, {})
        while isinstance(outcome, Pending):
            outcome = self.perform(action, outcome.progress, key)
        return outcome


@pytest.fixture
def world(trusted: Authority, cloud: ExitStack) -> World:
    runs = PipelineRuns([PROMOTE, PLAIN, PipelineFile(9, "plain")], ("refs/heads/main", "refs/tags/v1"))
    identity: Any = SimpleNamespace(check=check_identity)
    devops, faults = DevOps(Inbox(), identity, {PAT}, {"example/ml": runs}), Faults()
    application = devops.application()
    application.middlewares.append(faults.middleware)
    address = cloud.enter_context(served(application, trusted.context))
    return World(devops, runs, faults, address, str(trusted.ca))


def run(**changes: Any) -> RunDevopsPipeline:
    known = {"connection": "pat", "pipeline": "promote", "ref": "main", "parameters": {"model": "net"}}
    return RunDevopsPipeline.model_validate({**known, **changes})


@pytest.mark.parametrize("connection", ["pat", "identity"])
@pytest.mark.parametrize("pipeline", ["promote", 7, "7", "\\promote"])
def test_a_run_is_started_once_and_followed_to_its_end(world: World, connection: str, pipeline: str | int):
    done = world.work(run(connection=connection, pipeline=pipeline, wait=True))
    [started] = world.runs.runs
    assert started.parameters == {"model": "net", "stage": "prod", "mlevents_response": KEY}
    wanted = {
        "run_id": 100,
        "link": LINK,
        "status": "completed",
        "conclusion": "succeeded",
    }
    assert done == Done("run 100 succeeded", wanted)


def test_the_pipeline_is_looked_up_once(world: World):
    outcome = world.perform(run(wait=True), {})
    world.faults.add({"match": "GET .*/build/definitions.*", "times": 9, "status": 400})
    while isinstance(outcome, Pending):
        outcome = world.perform(run(wait=True), outcome.progress)
    assert outcome.result["conclusion"] == "succeeded"


def test_without_wait_the_step_ends_with_the_run(world: World):
    assert world.work(run()).result == {"run_id": 100, "link": LINK, "status": "started"}


def test_parameters_variables_and_the_branch_are_sent_as_azure_devops_takes_them(world: World):
    world.work(run(ref="refs/tags/v1", parameters={"model": ["a", 1]}, variables={"reason": True}))
    [started] = world.runs.runs
    assert (started.parameters["model"], started.ref) == ('["a", 1]', "refs/tags/v1")
    assert started.variables == {"reason": {"value": "true"}}
    world.work(run(ref=None), OTHER)
    assert "resources" not in world.devops.inbox.messages[-1]["body"]


@pytest.mark.parametrize("result", ["failed", "canceled"])
def test_a_run_that_does_not_succeed_fails_the_step_and_names_what_failed(world: World, result: str):
    world.runs.results = [result]
    with pytest.raises(PermanentError) as raised:
        world.work(run(wait=True))
    failed = ": 'Promote': promote.sh ended with 1" if result == "failed" else ""
    assert str(raised.value) == f"run 100 ended as '{result}'{failed}; see {LINK}"


@pytest.mark.parametrize("pipeline", ["promote", "\\ml\\plain"])
@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 503}, {"status": 200, "body": "half a"}])
def test_a_lost_answer_starts_no_second_run(world: World, pipeline: str, fault: dict[str, Any]):
    skip = 0 if pipeline == "promote" else 1  # the first is refused for its parameter
    world.faults.add({"match": "POST .*/runs", "after": True, "skip": skip, **fault})
    assert world.work(run(pipeline=pipeline, wait=True)).result["run_id"] == 100
    assert len(world.runs.runs) == 1


def test_an_attempt_that_is_repeated_after_a_kill_finds_its_run_by_the_key(world: World):
    intent: Any = world.perform(run(wait=True), {})
    first: Any = world.perform(run(wait=True), intent.progress)
    world.runs.runs[0].hidden = 0
    again: Any = world.perform(run(wait=True), intent.progress)
    assert first.progress["runs"] == again.progress["runs"] == [100]
    assert len(world.runs.runs) == 1


def test_the_run_of_another_response_is_never_taken_for_ours(world: World):
    action = run(pipeline=9, parameters={}, wait=True)
    intent: Any = world.perform(action, {})
    world.work(run(pipeline=9, parameters={}), OTHER)
    world.runs.runs[0].hidden = 0
    unmarked: Any = world.perform(action, intent.progress)
    ours: Any = world.perform(action, unmarked.progress)
    assert ours.progress["runs"] == [101]


def test_runs_that_cannot_be_told_apart_are_an_error(world: World):
    action = run(pipeline=9, parameters={}, wait=True)
    world.faults.add({"match": "POST .*/runs", "after": True, "skip": 1, "drop": True})
    outcome: Any = world.perform(action, {})
    for _ in range(2):
        outcome = world.perform(action, outcome.progress)
    world.work(run(pipeline=9, parameters={}), OTHER)
    for one in world.runs.runs:
        one.hidden = 0
    with pytest.raises(PermanentError, match="2 runs may be this step's, and none has its key"):
        world.perform(action, outcome.progress)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pipeline": "none"}, "the project 'ml' has no pipeline 'none': correct `pipeline`"),
        ({"pipeline": 77}, "answered 404: The build definition 77 does not exist"),
        ({"pipeline": "plain"}, "2 pipelines have the name 'plain': write one of the ids 8, 9"),
        ({"parameters": {"model": "m", "x": "y"}}, "answered 400: Unexpected parameter 'x'"),
        ({"parameters": {}}, "answered 400: A value for the 'model' parameter must be provided"),
        ({"variables": {"x": "y"}}, "You can't set the following variables (x)"),
        ({"ref": "nowhere"}, "Could not find a branch or tag with the name refs/heads/nowhere"),
    ],
)
def test_a_refusal_fails_the_step(world: World, changes: dict[str, Any], said: str):
    with pytest.raises(PermanentError) as raised:
        world.work(run(**changes))
    assert said in str(raised.value)
    assert world.runs.runs == []


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"status": 203, "body": SIGN_IN_PAGE, "headers": {"Content-Type": "text/html"}},
        {"status": 200, "body": SIGN_IN_PAGE, "headers": {"Content-Type": "text/html; charset=utf-8"}},
        {
            "status": 302,
            "headers": {"Location": "https://spsprodweu1.vssps.visualstudio.com/_signin?realm=x"},
        },
    ],
)
def test_a_bad_token_is_recognised_whatever_the_answer_is(world: World, fault: dict[str, Any]):
    if fault:
        world.faults.add({"match": ".*", "times": 9, **fault})
    else:
        world.devops.tokens.clear()
    with pytest.raises(PermanentError, match="enew the personal access token") as raised:
        world.work(run())
    assert PAT not in str(raised.value)


def test_a_right_that_is_missing_is_said(world: World):
    world.devops.refused = "TF401027: You need the Queue builds permission."
    with pytest.raises(RefusedError, match=r"403: TF401027: .* give the identity or the token the right"):
        world.work(run())


@pytest.mark.parametrize(("headers", "wait"), [({"Retry-After": "17"}, 17), ({}, 30)])
def test_a_rate_limit_is_waited_for(world: World, headers: dict[str, str], wait: float):
    world.faults.add({"match": "POST .*/runs", "status": 429, "headers": headers})
    intent: Any = world.perform(run(), {})
    with pytest.raises(TransientError) as raised:
        world.perform(run(), intent.progress)
    assert raised.value.retry_after == wait


def test_a_disabled_pipeline_fails_the_step(world: World):
    world.runs.pipelines = [PipelineFile(7, "promote", status="disabled")]
    with pytest.raises(PermanentError, match="the pipeline 'promote' is disabled: enable it"):
        world.work(run())


def find(world: World, action: RunDevopsPipeline) -> list[tuple[bool | None, str]]:
    return [(one.ok, one.said) for one in action.preflight(Preflight(world.connect(), (), str))]


def test_doctor_lets_azure_devops_check_the_parameters_and_starts_nothing(world: World):
    assert find(world, run()) == [(True, "exists, enabled")]
    assert [ok for ok, _ in find(world, run(pipeline=8))] == [None, True]
    assert find(world, run(parameters={"model": "m", "x": ""}))[0][0] is False
    assert find(world, run(parameters={"model": "m", "x": "${model.name}"}))[0][0] is None
    assert find(world, run(pipeline="none"))[0][0] is False
    assert find(world, run(pipeline="${model.name}"))[0][0] is None
    assert world.runs.runs == []
    for name, ok in (("pat", True), ("other", False)):
        known = world.connect(**({"project": name} if name == "other" else {}))
        assert [one.ok for one in known.connection("pat").preflight(known)] == [ok]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"organization": "not a name", "project": "p"}, "is not an organization: write its name"),
        ({"organization": "https://u:p@x.example", "project": "p"}, "holds a user or password"),
        ({"organization": "example", "project": "p", "token": "plain"}, "token"),
        ({"organization": "example"}, "project"),
    ],
)
def test_a_connection_that_cannot_work_is_refused(written: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        AzureDevOps.model_validate(written)


@pytest.mark.parametrize("written", [{"pipeline": "*"}, {"parameters": {"mlevents_response": "x"}}])
def test_what_mlevents_fills_in_and_wildcards_are_refused_when_rules_load(written: dict[str, Any]):
    with pytest.raises(ValidationError, match=r"write it without|leave it out"):
        run(**written)


def test_the_example_of_the_module_is_one():
    from mlevents.actions.run_devops_pipeline import action as module

    text = (module.__doc__ or "").split("```yaml\n")[1].split("```")[0]
    assert run(**parse_yaml(text, "example").value["with"]).wait is True
