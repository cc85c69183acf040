"""A workflow of GitHub is started once, recognised, and followed to its end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mlevents.actions.action import Done, Pending
from mlevents.actions.dispatch_github_workflow.action import DispatchGithubWorkflow
from mlevents.actions.preflight_input import Preflight
from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.yamlfile.reader import parse_yaml
from sandbox.github.callers import Caller
from tests.unit.github_world import KEY, REPOSITORY, TOKEN, GitHubWorld, github_world
from tests.unit.markdown_page import read_page
from tests.unit.stand_ins import Authority

HOW_TO = Path(__file__).resolve().parents[3] / "docs/how-to/github-actions.md"


@pytest.fixture
def world(trusted: Authority) -> Iterator[GitHubWorld]:
    with github_world(trusted) as found:
        yield found


def dispatch(**changes: Any) -> DispatchGithubWorkflow:
    known = {"connection": "ml-cd", "workflow": "promote.yml", "ref": "main", "inputs": {"model": "net"}}
    return DispatchGithubWorkflow.model_validate({**known, **changes})


def raise_event(**changes: Any) -> DispatchGithubWorkflow:
    known = {"connection": "ml-cd", "event_type": "model-registered", "client_payload": {"model": "net"}}
    return DispatchGithubWorkflow.model_validate({**known, **changes})


@pytest.mark.parametrize("connection", ["ml-cd", "app"])
@pytest.mark.parametrize("names_runs", [True, False])
def test_a_run_is_started_once_and_followed_to_its_end(world: GitHubWorld, connection: str, names_runs: bool):
    world.runs.names_runs = names_runs
    done = world.work(dispatch(connection=connection, wait=True))
    assert world.started() == [{"model": "net", "mlevents_response": KEY}]
    link = f"https://github.com/{REPOSITORY}/actions/runs/1000"
    wanted = {"run_id": 1000, "link": link, "status": "completed", "conclusion": "success"}
    assert done == Done("run 1000 succeeded", wanted)


def test_without_wait_the_step_ends_with_the_run_that_github_names(world: GitHubWorld):
    assert world.work(dispatch()).result["run_id"] == 1000
    world.runs.names_runs = False
    assert world.work(dispatch(), "mlevents-11111111111111111111").result == {"status": "accepted"}


def test_inputs_are_texts(world: GitHubWorld):
    world.work(dispatch(inputs={"model": True, "version": {"a": [1, "ü"]}}))
    assert world.started()[0] | {"mlevents_response": ""} == {
        "model": "true",
        "version": '{"a": [1, "ü"]}',
        "mlevents_response": "",
    }


@pytest.mark.parametrize(
    "conclusion", ["failure", "cancelled", "timed_out", "action_required", "startup_failure"]
)
def test_a_run_that_does_not_succeed_fails_the_step_and_names_the_jobs(world: GitHubWorld, conclusion: str):
    world.runs.conclusions = [conclusion]
    with pytest.raises(PermanentError) as raised:
        world.work(dispatch(wait=True))
    link = f"https://github.com/{REPOSITORY}/actions/runs/1000"
    assert str(raised.value) == (
        f"run 1000 ended as '{conclusion}': 'promote' {conclusion} ({link}/job/1); see {link}"
    )


def test_jobs_that_cannot_be_read_do_not_hide_that_the_run_failed(world: GitHubWorld):
    world.runs.conclusions = ["failure"]
    world.faults.add({"match": "GET .*/jobs", "status": 500})
    with pytest.raises(PermanentError, match=r"ended as 'failure': what failed cannot be read: .* 500"):
        world.work(dispatch(wait=True))


def test_a_run_is_found_among_many(world: GitHubWorld):
    action = dispatch(wait=True)
    intent: Any = world.perform(action)
    world.perform(action, intent.progress)
    file = world.runs.find("plain.yml")
    for _ in range(70):
        world.runs.dispatch(file, {"ref": "main", "inputs": {"model": "x"}}, "somebody")
    world.runs.files = {"promote.yml": world.runs.find("promote.yml").text}
    for run in world.runs.runs:
        run.hidden, run.workflow.name = 0, "promote.yml"
    again: Any = world.perform(action, intent.progress)
    assert again.progress == {"runs": [1000]}


@pytest.mark.parametrize("workflow", ["promote.yml", "plain.yml"])
@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 502}, {"status": 200, "body": "<html>"}])
def test_a_lost_answer_starts_no_second_run(world: GitHubWorld, workflow: str, fault: dict[str, Any]):
    action = dispatch(workflow=workflow, wait=True)
    skip = 1 if workflow == "plain.yml" else 0  # the first is refused for its input
    world.faults.add({"match": "POST .*/dispatches", "after": True, "skip": skip, **fault})
    assert world.work(action).result["run_id"] == 1000
    assert len(world.runs.runs) == 1
    assert world.waits[-3] >= 15, "GitHub lists a run some seconds later"


def test_an_attempt_that_is_repeated_after_a_kill_finds_its_run_by_the_key(world: GitHubWorld):
    action = dispatch(wait=True)
    intent = world.perform(action)
    assert isinstance(intent, Pending)
    first = world.perform(action, intent.progress)
    world.runs.runs[0].hidden = 0
    again = world.perform(action, intent.progress)
    assert isinstance(first, Pending)
    assert isinstance(again, Pending)
    assert first.progress == again.progress == {"runs": [1000]}
    assert len(world.runs.runs) == 1


def test_a_dispatch_that_never_arrived_is_sent_again(world: GitHubWorld):
    world.faults.add({"match": "POST .*/dispatches", "drop": True})
    assert world.work(dispatch(wait=True)).result["run_id"] == 1000
    assert sum(call.endswith("/dispatches") for call in world.calls) == 2


def test_a_service_that_never_answers_fails_the_step(world: GitHubWorld):
    world.faults.add({"match": "POST .*/dispatches", "drop": True, "times": 99})
    with pytest.raises(PermanentError, match="gave up after 3 attempts"):
        world.work(dispatch())
    assert world.started() == []


def test_the_run_of_someone_else_is_never_taken_for_ours(world: GitHubWorld):
    action = dispatch(workflow="plain.yml", wait=True)
    intent = world.perform(action)
    assert isinstance(intent, Pending)
    other = world.work(dispatch(workflow="plain.yml"), "mlevents-22222222222222222222")
    world.runs.runs[0].hidden = 0
    unmarked = world.perform(action, intent.progress)
    assert isinstance(unmarked, Pending)
    assert unmarked.progress["marked"] is False
    ours = world.perform(action, unmarked.progress)
    assert isinstance(ours, Pending)
    assert (other.result["run_id"], ours.progress) == (1000, {"runs": [1001]})


def test_runs_that_cannot_be_told_apart_are_an_error_and_nothing_is_sent_again(world: GitHubWorld):
    world.runs.names_runs = False
    action = dispatch(workflow="plain.yml", wait=True)
    pending = world.perform(action)
    world.work(dispatch(workflow="plain.yml"), "mlevents-22222222222222222222")
    for _ in range(2):
        assert isinstance(pending, Pending)
        pending = world.perform(action, pending.progress)
    assert isinstance(pending, Pending)
    for run in world.runs.runs:
        run.hidden = 0
    with pytest.raises(PermanentError, match="2 runs may be this step's, and none has its key"):
        world.perform(action, pending.progress)
    assert len(world.runs.runs) == 2


def test_a_run_of_another_actor_or_branch_is_not_ours(world: GitHubWorld):
    world.runs.names_runs = False
    world.github.callers.tokens["other"] = Caller("somebody", {"actions": "write"})
    action = dispatch(workflow="plain.yml", wait=True)
    pending = world.perform(action)
    file = world.runs.find("plain.yml")
    world.runs.dispatch(file, {"ref": "main", "inputs": {"model": "x"}}, "somebody")
    world.runs.dispatch(file, {"ref": "release", "inputs": {"model": "x"}}, "octocat")
    assert isinstance(pending, Pending)
    outcome: Any = pending
    while "runs" not in outcome.progress:
        outcome = world.perform(action, outcome.progress)
    assert outcome.progress == {"runs": [1002]}
    assert "it may belong to another response" in outcome.detail


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"workflow": "none.yml"}, "answered 404: Not Found; correct the name"),
        ({"ref": "nowhere"}, "answered 422: No ref found for: nowhere"),
        ({"inputs": {"model": "m", "stage": "x"}}, 'answered 422: Unexpected inputs provided: ["stage"]'),
        ({"inputs": {}}, "answered 422: Required input 'model' not provided"),
        ({"workflow": "listen.yml"}, "answered 422: Workflow does not have 'workflow_dispatch' trigger"),
    ],
)
def test_a_refusal_fails_the_step_and_keeps_the_answer(
    world: GitHubWorld, changes: dict[str, Any], said: str
):
    with pytest.raises(RefusedError) as raised:
        world.work(dispatch(**changes))
    assert said in str(raised.value)
    assert "documentation_url" in raised.value.report["answer"]
    assert world.started() == []


def test_a_disabled_workflow_fails_the_step(world: GitHubWorld):
    world.runs.disabled = {"promote.yml"}
    with pytest.raises(PermanentError, match=r"'promote.yml' is disabled_manually: enable it"):
        world.work(dispatch())


def test_a_token_that_is_wrong_or_may_too_little_fails_the_step_without_being_told(world: GitHubWorld):
    world.github.callers.tokens = {TOKEN: Caller("octocat", {"metadata": "read", "actions": "read"})}
    with pytest.raises(
        RefusedError, match="Resource not accessible by personal access token; give"
    ) as raised:
        world.work(dispatch())
    world.github.callers.tokens = {}
    with pytest.raises(RefusedError, match="401: Bad credentials; renew the app setting") as bad:
        world.work(dispatch())
    assert TOKEN not in str(raised.value) + str(bad.value) + str(bad.value.report)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        ({"status": 429, "headers": {"Retry-After": "17"}}, 17),
        ({"status": 403, "headers": {"Retry-After": "30"}}, 30),
        ({"status": 403, "headers": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}}, 1),
        ({"status": 403, "body": {"message": "You have exceeded a secondary rate limit."}}, 60),
        ({"status": 429}, 60),
    ],
)
def test_a_rate_limit_is_waited_for(world: GitHubWorld, fault: dict[str, Any], wait: float):
    world.faults.add({"match": "POST .*/dispatches", **fault})
    action = dispatch()
    intent = world.perform(action)
    assert isinstance(intent, Pending)
    with pytest.raises(TransientError) as raised:
        world.perform(action, intent.progress)
    assert raised.value.retry_after == wait
    assert isinstance(world.perform(action, intent.progress), Done)


def test_an_event_starts_every_workflow_that_waits_for_it(world: GitHubWorld):
    assert world.work(raise_event()).result == {"status": "accepted"}
    done = world.work(raise_event(wait=True), "mlevents-33333333333333333333")
    assert (done.result["run_id"], done.result["conclusion"]) == (1001, "success")
    assert world.started()[1] | {"": ""} == {
        "model": "net",
        "mlevents_response": "mlevents-33333333333333333333",
        "": "",
    }


def test_an_event_whose_answer_is_lost_is_not_raised_again(world: GitHubWorld):
    world.faults.add({"match": "POST .*/dispatches", "after": True, "drop": True})
    assert world.work(raise_event(wait=True)).result["run_id"] == 1000
    assert len(world.runs.runs) == 1


def test_an_event_that_no_workflow_waits_for_fails_a_step_that_waits(world: GitHubWorld):
    with pytest.raises(PermanentError, match=r"GitHub accepted the event .* lists no run"):
        world.work(raise_event(event_type="other", wait=True))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"workflow": ".github/workflows/a.yml", "ref": "main"}, "write the name of its file"),
        ({"workflow": "a.yml"}, "both 'workflow' and 'ref'"),
        ({"workflow": "a.yml", "ref": "m", "event_type": "x"}, "there is workflow and ref and event_type"),
        ({"event_type": "x", "inputs": {"a": 1}}, "'inputs' belongs to both 'workflow' and 'ref'"),
        ({"event_type": "x", "client_payload": {str(n): n for n in range(11)}}, "there are 11 keys"),
        ({"workflow": "a.yml", "ref": "m", "inputs": {str(n): n for n in range(26)}}, "there are 26 inputs"),
        ({"workflow": "a.yml", "ref": "m", "inputs": {"mlevents_response": "x"}}, "filled in by mlevents"),
        ({"event_type": "x" * 101}, "at most 100 characters"),
    ],
)
def test_what_github_would_refuse_is_an_error_when_rules_load(written: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        DispatchGithubWorkflow.model_validate({"connection": "ml-cd", **written})


def test_more_than_github_takes_is_not_sent(world: GitHubWorld):
    for action in (dispatch(inputs={"model": "x" * 66_000}), raise_event(client_payload={"a": "x" * 66_000})):
        with pytest.raises(PermanentError, match=r"66,0.. characters, and GitHub takes 65,535"):
            world.work(action)
    assert world.calls == []


def test_the_workflow_of_the_how_to_is_started_by_its_rule(world: GitHubWorld):
    fences = {fence.file: fence.text for fence in read_page(HOW_TO).fences}
    world.runs.files = {"promote.yml": fences[".github/workflows/promote.yml"]}
    rule = parse_yaml(fences["promote.yaml"], "promote.yaml").value["rules"][0]
    action = DispatchGithubWorkflow.model_validate(rule["do"][0]["with"])
    assert find(world, action) == [(True, "exists, and declares the inputs that the rule gives")]
    world.work(action)
    [run] = world.runs.runs
    assert run.title == f"Promote ${{model.name}} ${{model.version}} ({KEY})"
    steps = run.workflow.content["jobs"]["promote"]["steps"]
    assert all("${{" not in one.get("run", "") for one in steps)


def find(world: GitHubWorld, action: DispatchGithubWorkflow) -> list[tuple[bool | None, str]]:
    found = action.preflight(Preflight(world.connect(), (), str))
    return [(one.ok, one.said) for one in found]


def test_doctor_compares_the_inputs_with_those_of_the_workflow(world: GitHubWorld):
    assert find(world, dispatch()) == [(True, "exists, and declares the inputs that the rule gives")]
    assert find(world, dispatch(connection="app")) == find(world, dispatch())
    assert [ok for ok, _ in find(world, dispatch(workflow="plain.yml"))] == [None, True]
    [(ok, said), (missing, needed)] = find(world, dispatch(inputs={"modle": "x"}))
    assert (ok, said) == (False, "declares no input 'modle' (did you mean 'model'?)")
    assert (missing, needed) == (False, "requires the input 'model', and the rule gives none")
    assert find(world, dispatch(workflow="listen.yml")) == [(False, "has no trigger 'workflow_dispatch'")]
    assert find(world, dispatch(workflow="none.yml"))[0][0] is False
    assert find(world, dispatch(ref="${model.name}"))[0][0] is None
    assert world.started() == []


def test_doctor_says_when_it_may_not_read_the_file(world: GitHubWorld):
    world.github.callers.tokens[TOKEN] = Caller("octocat", {"metadata": "read", "actions": "write"})
    [(ok, said)] = find(world, dispatch())
    assert ok is None
    assert "its inputs were not checked" in said
