"""The demo: ten scenes on the sandbox, each with a check of its outcome."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace

import requests
from rich.markup import escape
from rich.padding import Padding

from sandbox.demo.drift_scenes import start_pipeline_on_drift, start_pipeline_once
from sandbox.demo.rollout_scenes import promote_version, roll_back_version
from sandbox.demo.scene import CONSOLE, FRAUD, Play, Scene, check_response, register
from sandbox.event_grid.event_factory import Json
from sandbox.host.app_environment import app_environment
from sandbox.sandbox_process import PATIENCE, ROOT, Stage, stage, until


def deploy_model(on: Stage) -> Scene:
    """A registered model is deployed, all traffic is on it, and it answers."""
    register(on, "7", FRAUD)
    scene = check_response(
        "Model fraud-net:7 is registered with the tag stage=production",
        on.settled(subject="models/fraud-net:7"),
    )
    endpoint = on.azure_ml().online_endpoints.get("fraud-net")
    answer = requests.post(
        endpoint.scoring_uri,
        json={"input_data": [[1, 2]]},
        headers={
            "Authorization": f"Bearer {on.azure_ml().online_endpoints.get_keys('fraud-net').primary_key}"
        },
        verify=on.ready["ca"],
        timeout=10,
    )
    right = answer.ok and answer.json()["version"] == "7" and endpoint.traffic == {"fraud-net-7": 100}
    version = answer.json().get("version")
    return scene.with_check(
        f"a request to the endpoint returns {answer.status_code} from version {version}", right
    )


def ignore_other_models(on: Stage) -> Scene:
    """A model whose tags match no rule gets no response; `explain` says why."""
    tags = {**FRAUD, "stage": "dev"}
    register(on, "8", tags)
    why = explain_event(on.model_registered("fraud-net", "8", tags))
    because = why["because"]
    outcome = f"no response: {because['path']} is {because['found']}, not {json.dumps(because['wanted'])}"
    right = because["path"] == "where.model.tags.stage" and not on.responses("models/fraud-net:8")
    return Scene("Model fraud-net:8 is registered with the tag stage=dev", why["id"], outcome, right)


def explain_event(event: Json) -> Json:
    """What `python -m mlevents explain` says of the deploying rule."""
    command = [sys.executable, "-m", "mlevents", "explain", "-", "--json"]
    answer = subprocess.run(
        command, cwd=ROOT, input=json.dumps(event), capture_output=True, text=True, check=False
    )
    rules: list[Json] = json.loads(answer.stdout)["events"][0]["rules"]
    return next(rule for rule in rules if rule["id"] == "deploy-production-models")


def report_failed_run(on: Stage) -> Scene:
    """A failed run is reported by mail and to Teams."""
    event = on.run_status_changed("train-42", "Failed")
    on.publish(event)
    scene = check_response("The run train-42 fails", on.settled(event_id=event["id"]))
    ways = sorted({message["via"] for message in on.inbox() if "train-42" in json.dumps(message)})
    return scene.with_check(f"sent by {' and '.join(ways)}", ways == ["email", "webhook"])


def ignore_redelivery(on: Stage) -> Scene:
    """The same event, delivered again at once and later, has no further effect."""
    before = count_pipeline_runs(on)
    event = on.drift_detected("redelivered", 0.9)
    answers = [on.deliver("DatasetDriftDetected", event).status_code for _ in range(2)]
    on.settled(event_id=event["id"])
    answers.append(on.deliver("DatasetDriftDetected", event).status_code)
    scene = check_response("One drift event is delivered three times", on.settled(event_id=event["id"]))
    return scene.with_check(
        "one response, one pipeline run", answers == [202] * 3 and count_pipeline_runs(on) == before + 1
    )


def count_pipeline_runs(on: Stage) -> int:
    """The number of requests to Data Factory to start a pipeline."""
    return sum("createRun" in one["path"] for one in on.requests_seen("POST"))


def refuse_other_workspace(on: Stage) -> Scene:
    """An event from a workspace that the rule file does not list is refused."""
    event = on.model_registered("fraud-net", "9", FRAUD, topic=on.workspace.replace("ml-prod", "ml-other"))
    on.deliver("ModelRegistered", event)
    scene = check_response(
        "A model is registered in workspace ml-other", on.settled(event_id=event["id"]), "refused"
    )
    return replace(scene, outcome="refused: ml-other is not listed in the rule file")


def quarantine_event(on: Stage) -> Scene:
    """An event that cannot be understood is kept, and people are notified."""
    on.deliver("ModelRegistered", {"id": "rubbish-1", "eventType": 7})
    scene = check_response(
        "An event with an invalid type arrives", on.settled(event_id="rubbish-1"), "quarantined"
    )
    alerted = until(lambda: _alerts(on), PATIENCE, lambda: "no message about the quarantine")
    return scene.with_check("stored, and Teams was notified", bool(alerted))


def _alerts(on: Stage) -> list[Json]:
    """Messages about the quarantine; a separate orchestration sends them a moment later."""
    return [message for message in on.inbox() if "quarantine" in json.dumps(message).lower()]


PLAYS: tuple[Play, ...] = (
    deploy_model,
    promote_version,
    roll_back_version,
    ignore_other_models,
    start_pipeline_on_drift,
    start_pipeline_once,
    report_failed_run,
    ignore_redelivery,
    refuse_other_workspace,
    quarantine_event,
)


def play_scenes(on: Stage) -> Iterator[tuple[Scene, float]]:
    """Every scene with its seconds; a scene that raises an error is not as expected."""
    for play in PLAYS:
        start = time.monotonic()
        try:
            scene = play(on)
        except (TimeoutError, requests.RequestException, LookupError) as error:
            scene = Scene(play.__name__.replace("_", " "), "—", f"stopped by an error: {error!r:.300}", False)
        yield scene, time.monotonic() - start


def play_demo(speed: float = 120) -> int:
    """Play every scene and print it when it ends; the exit code is 0 only if all are as expected."""
    right = True
    CONSOLE.print(f"Starting the sandbox: a simulated Azure on this machine, {speed:g} times faster …\n")
    with tempfile.TemporaryFile() as log, stage(speed=speed, log=log) as on:
        use_sandbox(on)
        for scene, seconds in play_scenes(on):
            right &= scene.right
            print_scene(scene, seconds)
        if not right:
            log.seek(0)
            CONSOLE.print(log.read().decode(errors="replace"), markup=False)
    CONSOLE.print(
        f"All {len(PLAYS)} scenes ended as expected."
        if right
        else "Not every scene ended as expected. The log of the app is above."
    )
    return 0 if right else 1


def use_sandbox(on: Stage) -> None:
    """Let Azure's SDKs in this process use the sandbox, whatever leads them to Azure now."""
    environment = app_environment(os.environ, on.environment())
    os.environ.clear()
    os.environ.update(environment)


def print_scene(scene: Scene, seconds: float) -> None:
    """Print one scene: what happened, which rule responded, and the outcome."""
    mark = "[green]✓[/]" if scene.right else "[red]✗[/]"
    CONSOLE.print(f"{mark} [bold]{escape(scene.event)}[/] [dim]({seconds:.1f} s)[/]")
    rule = () if scene.rule == "—" else (f"rule {scene.rule}",)
    for line in (*rule, *scene.outcome.splitlines()):
        CONSOLE.print(Padding(escape(line), (0, 0, 0, 4), expand=False))
    CONSOLE.print()
