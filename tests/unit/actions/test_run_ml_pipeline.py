"""`run_ml_pipeline`: one job for each response, whichever of the three ways it is started."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.run_ml_pipeline import action
from mlevents.actions.run_ml_pipeline.action import RunMlPipeline
from mlevents.errors import PermanentError, TransientError
from tests.unit.actions.deploy_model.fake_workspace import FakeWorkspace
from tests.unit.actions.deploy_model.rollouts import context

JOB = """
type: pipeline
display_name: retrain
tags: {team: risk}
inputs: {learning_rate: 0.1, reference: {type: uri_folder, path: "azureml:reference:3"}}
settings: {default_compute: azureml:small, continue_on_step_failure: false}
jobs: {train: {component: "azureml:train:1"}}
"""


def world(job: str = JOB) -> FakeWorkspace:
    return FakeWorkspace(files={"jobs/retrain.yml": job})


def follow(action: RunMlPipeline, there: FakeWorkspace) -> Outcome:
    """Perform until it is done, every attempt twice."""
    at, outcome = context(), None
    while not isinstance(outcome, Done):
        action.perform(at, there)
        outcome = action.perform(at, there)
        at = replace(at, progress=getattr(outcome, "progress", {}))
    return outcome


def document(action: RunMlPipeline, there: FakeWorkspace) -> Any:
    action.perform(context(), there)
    return there.jobs.submitted["mlevents-k"]


def test_the_example_in_the_docstring_is_a_step() -> None:
    step = yaml.safe_load((action.__doc__ or "").split("```yaml")[1].split("```")[0])
    assert step["uses"] == "run_ml_pipeline"
    assert RunMlPipeline.model_validate(step["with"]).wait


@pytest.mark.parametrize(
    "way", [{"job": "jobs/retrain.yml"}, {"component": "retrain@latest"}, {"batch_endpoint": "b"}]
)
def test_performing_twice_starts_one_job(way: dict[str, Any]) -> None:
    there = world()
    outcome = follow(RunMlPipeline(**way, wait=True), there)
    assert len(there.jobs.submitted) == 1
    assert outcome.detail.endswith(outcome.result["studio"])  # type: ignore[union-attr]
    assert outcome.result["status"] == "Completed"  # type: ignore[union-attr]


def test_a_job_of_a_file_takes_the_rules_values() -> None:
    action = RunMlPipeline(
        job="jobs/retrain.yml",
        inputs={"learning_rate": 0.5, "reference": "azureml:reference:4"},
        compute="big",
        tags={"team": "fraud"},
    )
    made = document(action, world())
    assert made["inputs"] == {
        "learning_rate": 0.5,
        "reference": {"type": "uri_folder", "path": "azureml:reference:4"},
    }
    assert made["settings"] == {"default_compute": "azureml:big", "continue_on_step_failure": False}
    assert (made["display_name"], made["experiment_name"]) == ("retrain", "retrain")
    assert (made["tags"]["team"], made["tags"]["mlevents.response"]) == ("fraud", "rule-1.abc")


def test_a_component_is_pinned_and_names_the_experiment() -> None:
    made = document(RunMlPipeline(component="retrain@latest", inputs={"reason": "drift"}), world())
    assert made["component"] == "azureml:/components/retrain@latest"
    assert (made["experiment_name"], made["inputs"]) == ("retrain", {"reason": "drift"})


def test_a_batch_endpoint_is_asked_in_its_own_words() -> None:
    there = world()
    inputs: dict[str, Any] = {"rate": 0.5, "data": {"type": "uri_folder", "path": "azureml:reference:3"}}
    RunMlPipeline(batch_endpoint="b", deployment="d", inputs=inputs, experiment_name="e").perform(
        context(), there
    )
    asked = there.batch.asked[0]
    assert (asked.endpoint, asked.deployment, asked.key) == ("b", "d", "mlevents-k")
    assert asked.inputs["rate"] == {"jobInputType": "Literal", "value": 0.5}
    assert asked.inputs["data"]["uri"] == there.workspace.asset("data", "reference", "3")
    assert asked.body()["properties"]["properties"] == {"experimentName": "e", "mlevents.key": "mlevents-k"}


@pytest.mark.parametrize("status", ["Failed", "Canceled", "NotResponding"])
def test_a_job_that_fails_fails_the_step_and_says_where_to_look(status: str) -> None:
    there = world()
    there.jobs.course = ("NotStarted", status)
    with pytest.raises(PermanentError, match=f"is {status}: see why at https://ml.azure.com/runs/mlevents-k"):
        follow(RunMlPipeline(component="retrain:1", wait=True), there)


def test_without_wait_a_submitted_job_is_enough() -> None:
    assert isinstance(RunMlPipeline(component="retrain:1").perform(context(), world()), Done)
    waiting = RunMlPipeline(component="retrain:1", wait=True).perform(context(), world())
    assert isinstance(waiting, Pending)
    assert waiting.after == 30


def test_a_job_that_is_not_found_is_read_again_and_never_started_again() -> None:
    """Azure may answer 404 for a moment for a job that exists."""
    with pytest.raises(TransientError, match="job 'batchjob-9' is not found"):
        RunMlPipeline(batch_endpoint="b").perform(replace(context(), progress={"job": "batchjob-9"}), world())


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        ({}, "give 'job', 'component' or 'batch_endpoint': there is none of them"),
        ({"job": "a.yml", "component": "a:1"}, "there is job and component"),
        (
            {"job": "a.yml", "deployment": "d"},
            "'deployment' belongs to 'batch_endpoint', not to 'job': remove it",
        ),
        (
            {"batch_endpoint": "b", "compute": "cpu"},
            "'compute' belongs to 'job', not to 'batch_endpoint': remove it",
        ),
        ({"component": ".."}, "'..' is not an asset reference"),
        ({"component": "train"}, "write name:version or name@latest"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(given: dict[str, str], fact: str) -> None:
    with pytest.raises(ValidationError, match=fact):
        RunMlPipeline.model_validate(given)


@pytest.mark.parametrize(
    ("text", "inputs", "fact"),
    [
        (JOB, {"learning_rat": 1}, "no input 'learning_rat' .did you mean 'learning_rate'"),
        ("type: command\ncommand: echo", {}, "is a command job: only pipeline jobs are run"),
        ("type: pipeline\njobs: {a: {type: command, code: ./src}}", {}, r"jobs.a.code is './src'"),
    ],
)
def test_a_file_that_cannot_be_run_is_found_when_rules_load(
    text: str, inputs: dict[str, Any], fact: str
) -> None:
    there = world(text)
    with pytest.raises(PermanentError, match=fact):
        RunMlPipeline(job="jobs/retrain.yml", inputs=inputs).check(there.read)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "folder", "path": "azureml:a:1"},
        {"type": ["uri_folder"], "path": "azureml:a:1"},
        {"path": "./data"},
        {"path": "AZUREML:a:1"},
        {"path": "azureml:a@latest"},
    ],
)
def test_data_that_a_batch_endpoint_cannot_reach_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        RunMlPipeline(batch_endpoint="b", inputs={"data": value}).perform(context(), world())


@pytest.mark.parametrize(
    ("way", "inputs"),
    [
        ({"job": "jobs/retrain.yml"}, {"reference": "/proc/self/environ"}),
        ({"job": "jobs/retrain.yml"}, {"reference": "file:settings"}),
        ({"component": "retrain:1"}, {"reason": {"path": "/subscriptions/../proc/self/environ"}}),
        ({"component": "retrain:1"}, {"reason": {"type": "uri_file", "path": "/proc/self/environ"}}),
    ],
)
def test_a_tag_cannot_make_us_upload_a_file_of_ours(way: dict[str, str], inputs: dict[str, Any]) -> None:
    there = world()
    with pytest.raises(PermanentError, match="Nothing is uploaded from a function"):
        RunMlPipeline.model_validate({**way, "inputs": inputs}).perform(context(), there)
    assert there.jobs.submitted == {}


@pytest.mark.parametrize("text", ["/proc/self/environ", "file:settings", "a" * 300, "x" * 70_000])
def test_a_text_is_an_inputs_value_whatever_file_it_names(text: str) -> None:
    there = world()
    RunMlPipeline(component="retrain:1", inputs={"reason": text}).perform(context(), there)
    [document] = there.jobs.submitted.values()
    assert document["inputs"] == {"reason": text}
