"""`event` and `load` against a running sandbox: what they publish, and what they answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from sandbox.sandbox_process import Stage

OTHER = "/subscriptions/1/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/other"
GOOD = ("tags.stage=production", "tags.accuracy=0.95")


@pytest.fixture
def ready_file(shipped: Stage, tmp_path: Path) -> Path:
    file = tmp_path / "ready.json"
    file.write_text(json.dumps(shipped.ready))
    return file


def run(*words: str, ready: Path) -> Result:
    return CliRunner().invoke(build_app(), [*words, "--ready-file", str(ready)])


def publish(*words: str, ready: Path) -> dict[str, Any]:
    answer = run("event", *words, "--json", ready=ready)
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


@pytest.mark.parametrize(
    ("words", "function", "rule"),
    [
        (("model.registered", "name=fraud-event", *GOOD), "ModelRegistered", "deploy-production-models"),
        (("run.status_changed", "status=Failed"), "RunStatusChanged", "alert-failed-runs"),
        (("drift.detected",), "RunStatusChanged", "retrain-on-drift"),
        (("drift.detected", "coefficient=0.6"), "DatasetDriftDetected", "retrain-on-drift"),
    ],
)
def test_an_event_starts_the_rule_that_matches(
    ready_file: Path, words: tuple[str, ...], function: str, rule: str
):
    answer = publish(*words, ready=ready_file)
    [delivery] = answer["deliveries"]
    assert (delivery["function"], delivery["state"]) == (function, "delivered")
    assert [one["rule"] for one in answer["responses"]] == [rule]
    assert words[0] == answer["type"]


@pytest.mark.parametrize("kind", ["model.deployed", "run.completed"])
def test_an_event_that_no_rule_needs_is_filtered_by_event_grid(ready_file: Path, kind: str):
    [delivery] = publish(kind, ready=ready_file)["deliveries"]
    assert (delivery["state"], delivery["because"]) == ("dropped", "no events: no rule needs this type")


def test_a_filtered_event_names_the_filter(ready_file: Path):
    answer = run("event", "model.registered", "name=churn-x", ready=ready_file)
    assert answer.exit_code == 0
    assert "ModelRegistered takes events whose subject begins with 'models/fraud-'" in answer.stdout


def test_an_event_that_no_rule_matches_names_the_nearest(ready_file: Path):
    answer = publish("model.registered", "name=fraud-near", "tags.stage=dev", ready=ready_file)
    assert answer["responses"] == []
    assert answer["nearest"]["id"] == "deploy-production-models"
    assert answer["nearest"]["because"]["path"] == "where.model.tags.stage"
    text = run("event", "model.registered", "name=fraud-near", "tags.stage=dev", ready=ready_file).stdout
    assert 'where.model.tags.stage: wanted ["production", "prod"], found "dev"' in text


def test_a_registered_model_is_in_azure_ml_and_the_next_one_is_a_new_version(
    shipped: Stage, ready_file: Path
):
    for version in ("1", "2"):
        answer = publish("model.registered", "name=other-net", "tags.team=risk", ready=ready_file)
        assert answer["event"]["subject"] == f"models/other-net:{version}"
        path = f"{shipped.workspace}/models/other-net/versions/{version}?api-version=2023-08-01-preview"
        assert shipped.arm(path)["properties"]["tags"] == {"team": "risk"}


def test_a_run_is_in_azure_ml(shipped: Stage, ready_file: Path):
    publish("run.status_changed", "id=made-up-run", "status=Completed", ready=ready_file)
    found = shipped.arm(f"/history/v1.0{shipped.workspace}/runs/made-up-run")
    assert (found["runId"], found["status"]) == ("made-up-run", "Completed")


def test_an_event_of_a_workspace_that_is_not_allowed_is_refused(ready_file: Path):
    words = ("model.registered", "name=fraud-far", "--workspace", OTHER)
    [response] = publish(*words, ready=ready_file)["responses"]
    assert response["status"] == "refused"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("event", "modle.registered"), "did you mean 'model.registered'?"),
        (("event", "model.registered", "nam=x"), "did you mean 'name'?"),
        (("event", "model.registered", "--workspace", "ml-prot"), "did you mean 'ml-prod'?"),
        (("event", "model.registered", "event.type=x"), "event.type: comes out as"),
        (("load", "none", "--rps", "1", "--workspace", "ml-prot"), "did you mean 'ml-prod'?"),
        (("load", "none", "--rps", "1"), "there is no endpoint 'none'"),
        (("load", "none", "--rps", "1", "--latency", "fast"), "--latency: 'fast' is not a valid duration"),
        (("load", "none", "--rps", "1", "--deployment", "blue"), "there is no endpoint 'none'"),
    ],
)
def test_a_mistake_is_an_error_of_usage_with_its_remedy(ready_file: Path, words: tuple[str, ...], says: str):
    answer = run(*words, ready=ready_file)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert says in " ".join(answer.stderr.split())


def test_without_a_sandbox_the_command_says_how_to_start_one(tmp_path: Path):
    answer = run("event", "model.registered", ready=tmp_path / "ready.json")
    assert answer.exit_code == 2
    assert "mlevents up" in answer.stderr


def test_a_sandbox_that_does_not_answer_is_one_line(ready_file: Path, shipped: Stage):
    closed = {**shipped.ready, "event_grid": "http://127.0.0.1:9/api/events"}
    ready_file.write_text(json.dumps(closed))
    answer = run("event", "model.registered", ready=ready_file)
    assert answer.exit_code == 1
    assert "the sandbox does not answer at http://127.0.0.1:9/" in answer.stderr


@pytest.fixture
def endpoint(shipped: Stage, ready_file: Path) -> str:
    publish("model.registered", "name=fraud-load", *GOOD, ready=ready_file)
    shipped.settled(rule="deploy-production-models")
    return "fraud-load"


def list_streams(stage: Stage) -> list[dict[str, Any]]:
    from mlevents.commands.sandbox_client import SandboxClient

    return [one for one in SandboxClient(stage.ready).list_streams() if one["endpoint"] == "fraud-load"]


def test_load_gives_an_endpoint_traffic_until_it_is_stopped(shipped: Stage, ready_file: Path, endpoint: str):
    more = ("--errors", "0.02", "--latency", "120ms")
    assert run("load", endpoint, "--rps", "20", *more, ready=ready_file).exit_code == 0
    assert list_streams(shipped) == [{"endpoint": endpoint, "rps": 20, "error_rate": 0.02, "latency_ms": 120}]
    [deployment] = shipped.arm(f"{shipped.workspace}/onlineEndpoints/{endpoint}?api-version=2024-10-01")[
        "properties"
    ]["traffic"]
    own = run("load", endpoint, "--rps", "5", "--deployment", deployment, "--json", ready=ready_file)
    assert json.loads(own.stdout) == {"endpoint": endpoint, "deployment": deployment, "rps": 5}
    wrong = run("load", endpoint, "--rps", "5", "--deployment", "fraud-lod-1", ready=ready_file)
    assert (wrong.exit_code, f"did you mean '{deployment}'?" in " ".join(wrong.stderr.split())) == (2, True)
    near = run("load", "fraud-laod", "--rps", "5", ready=ready_file)
    assert "did you mean 'fraud-load'?" in " ".join(near.stderr.split())
    assert run("load", endpoint, "--rps", "0", ready=ready_file).exit_code == 0
    assert [one["rps"] for one in list_streams(shipped)] == [0, 0]
