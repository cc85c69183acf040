"""The commands that change responses, against a running app, as people type them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from sandbox.sandbox_process import PATIENCE, Stage, stage, until

RULES = """
version: 1
connections:
  people: {type: apprise, url: {setting: TEAMS_WORKFLOW_URL}}
  retraining: {type: data_factory, id: "/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain"}
endpoints: "*"
rules:
  - id: canary
    event: model.registered
    where: {model: {tags: {stage: prod}}}
    do:
      - id: deploy
        uses: deploy_model
        with:
          template: deployments/small.yaml
          rollout: {steps: [{percent: 20, for: 10h}, {percent: 60, for: 10h}], min_requests: 0}
  - id: retrain
    event: drift.detected
    do:
      - {id: tell, uses: notify, with: {to: people, template: drift-detected}}
      - {id: run, uses: run_data_factory_pipeline, with: {connection: retraining, pipeline: retrain, wait: true}}
"""  # noqa: E501
BROKEN = {"match": "POST .*/createRun.*", "status": 403}
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("operator")
    (folder / "rules.yaml").write_text(RULES)
    (folder / "deployments").mkdir()
    small = Path(__file__).parents[2] / "deployments/small.yaml"
    (folder / "deployments/small.yaml").write_bytes(small.read_bytes())
    with stage(folder / "rules.yaml", 600) as running:
        yield running


@pytest.fixture
def run(app: Stage, tmp_path: Path) -> Run:
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps(app.ready))

    def call(*words: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(build_app(), [*words, "--ready-file", str(ready)], input=answer)

    return call


def read_json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def fail(app: Stage, name: str) -> dict[str, Any]:
    app.fault(**BROKEN, times=1)
    app.publish(event := app.drift_detected(name, 0.5))
    [one] = app.settled(event_id=event["id"])
    assert one["status"] == "failed", one
    return one


def phases(app: Stage, name: str) -> list[str]:
    [one] = app.responses(f"models/{name}")
    return [phase["phase"] for step in one["steps"] for phase in step.get("phases", ())]


@pytest.fixture(scope="module")
def rollout(app: Stage) -> Callable[[str], dict[str, Any]]:
    """Begins a rollout that holds at 20 %, and returns its response."""

    def begin(name: str) -> dict[str, Any]:
        for version in ("1", "2"):
            app.publish(app.model_registered(name, version, {"stage": "prod"}))
            if version == "1":
                app.settled(f"models/{name}:1")
        until(lambda: app.responses(f"models/{name}:2"), PATIENCE, lambda: "no response")
        until(
            lambda: "20 %" in " ".join(phases(app, f"{name}:2")),
            PATIENCE,
            lambda: f"{phases(app, f'{name}:2')}",
        )
        [one] = app.responses(f"models/{name}:2")
        return one

    return begin


def test_a_failed_response_runs_again_from_a_step(app: Stage, run: Run):
    one = fail(app, "again")
    words = ("--from", "run", "--reason", "rights are there", "--json")
    answer = read_json(run("rerun", one["id"][-10:], *words))
    assert (answer["id"], answer["verb"], answer["reason"]) == (one["id"], "rerun", "rights are there")
    [after] = app.settled(event_id=one["event"]["id"])
    assert after["status"] == "done"
    text = run("show", one["id"]).stdout
    assert "attempt 2" in text
    assert "rerun by function key: rights are there" in text


def test_a_rerun_that_is_refused_says_why(app: Stage, run: Run):
    one = fail(app, "refused")
    refused = run("rerun", one["id"], "--from", "nothing")
    assert refused.exit_code == 1
    assert "nothing" in refused.stderr


def test_a_promoted_rollout_goes_on_and_a_cancelled_one_goes_back(app: Stage, run: Run, rollout):
    one = rollout("promoted")
    promoted = run("promote", one["id"], "--reason", "the numbers are good")
    assert promoted.exit_code == 0, promoted.output
    assert one["id"] in promoted.stdout
    until(lambda: "60 %" in " ".join(phases(app, "promoted:2")), PATIENCE, lambda: "not promoted")
    cancelled = read_json(run("cancel", one["id"], "--reason", "no", "--json"))
    assert cancelled["verb"] == "cancel"
    [after] = app.settled("models/promoted:2")
    assert after["status"] == "stopped"
    late = run("cancel", one["id"], "--reason", "once more")
    assert late.exit_code == 0
    assert "asked before" in late.stdout
    assert run("promote", one["id"], "--reason", "late").exit_code == 1


def test_an_aborted_rollout_fails(app: Stage, run: Run, rollout):
    one = rollout("aborted")
    assert run("abort", one["id"], "--reason", "wrong model").exit_code == 0
    [after] = app.settled("models/aborted:2")
    assert after["status"] == "failed"
    watched = run("watch", one["id"])
    assert watched.exit_code == 1
    assert "✗ canary: failed" in watched.stdout


@pytest.mark.parametrize("verb", ["cancel", "promote", "abort"])
def test_what_may_change_an_endpoint_needs_a_reason(run: Run, verb):
    assert run(verb, "canary.0").exit_code == 2


def test_filters_rerun_many_once_they_are_agreed_to(app: Stage, run: Run):
    ids = {fail(app, f"many-{number}")["id"] for number in range(2)}
    words = ("rerun", "--status", "failed", "--rule", "retrain", "--since", "1h")
    listed = read_json(run(*words, "--dry-run", "--json"))
    assert listed["dry_run"]
    assert ids <= {one["id"] for one in listed["responses"]}
    for answer in ("n\n", ""):
        refused = run(*words, answer=answer)
        assert refused.exit_code == 2
        assert "nothing was changed" in refused.stderr
    assert {one["id"] for one in read_json(run(*words, "--dry-run", "--json"))["responses"]} >= ids
    done = run(*words, "--json", answer="y\n")
    answers = json.loads(done.stdout)["responses"]
    assert ids <= {one["id"] for one in answers}
    app.settled(rule="retrain")
    assert run(*words, "--yes").stdout == "No response matches.\n"


def test_a_cancel_by_filters_leaves_out_what_has_ended(app: Stage, run: Run):
    fail(app, "ended")
    words = ("cancel", "--rule", "retrain", "--reason", "x", "--dry-run", "--json")
    assert read_json(run(*words))["responses"] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["rerun"], "no response is named"),
        (["rerun", "retrain.0", "--status", "failed"], "alone"),
        (["rerun", "--status", "failed", "--from", "run"], "--from"),
    ],
)
def test_a_choice_that_is_unclear_is_refused(run: Run, words, says):
    refused = run(*words)
    assert (refused.exit_code, says in refused.stderr) == (2, True)


def test_a_purge_keeps_what_may_be_delivered_again(app: Stage, run: Run):
    fail(app, "kept")
    before = len(app.responses())
    refused = run("purge", "--older-than", "1h", "--yes")
    assert refused.exit_code == 1
    assert "give more than 24 h" in refused.stderr
    assert run("purge", "--older-than", "soon", "--yes").exit_code == 2
    assert run("purge", answer="n\n").exit_code == 2
    purged = read_json(run("purge", "--older-than", "2d", "--yes", "--json"))
    assert purged == {"older_than": 172800.0, "purged": {}}
    assert "Purged what ended more than 720 h ago: nothing." in run("purge", answer="y\n").stdout
    assert len(app.responses()) == before


def test_recent_events_say_why_no_rule_matched(app: Stage, run: Run):
    app.deliver("ModelRegistered", event := app.model_registered("silent", "1", {"stage": "dev"}))

    def listed() -> list[dict[str, Any]]:
        found = read_json(run("events", "--subject", event["subject"], "--since", "1h", "--json"))["events"]
        return list(found)

    [one] = until(listed, PATIENCE, lambda: "the event is not listed")
    assert one["decision"] == "unmatched"
    shown = run("events", "--subject", event["subject"], "--rule", "canary")
    text = shown.stdout
    assert shown.exit_code == 0, shown.exception
    assert "canary: where.model.tags.stage" in text
    assert '"dev"' in text
    assert run("events", "--subject", event["subject"], "--rule", "other").stdout == "No event matches.\n"


def test_a_held_rule_waits_until_it_and_everything_are_released(app: Stage, run: Run):
    words = ("--reason", "the lake is moving")
    assert "retrain: held by function key: the lake is moving" in run("hold", "retrain", *words).stdout
    assert "all rules: held by function key" in run("hold", *words).stdout
    app.publish(event := app.drift_detected("held", 0.5))

    def statuses() -> list[str]:
        return [one["status"] for one in app.responses(event_id=event["id"])]

    until(lambda: statuses() == ["waiting"], PATIENCE, lambda: f"{statuses()}")
    again = run("hold", "retrain", *words)
    assert "retrain: held already" in again.stdout
    assert "waiting responses: 1" in again.stdout
    assert "all rules: released\n" in run("release", *words).stdout
    assert statuses() == ["waiting"]
    assert "retrain: released\n" in run("release", "retrain").stdout
    [one] = app.settled(event_id=event["id"])
    assert one["status"] == "done"
    assert "retrain: was not held\n" in run("release", "retrain").stdout
