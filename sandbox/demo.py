"""The demo: the three scenarios, and what must not happen, played on the sandbox and checked."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace

import requests
from rich.table import Table

from sandbox.canaries import promoted, taken_back
from sandbox.raised import Json
from sandbox.scenes import CONSOLE, FRAUD, Play, Scene, register, told
from sandbox.stage import ROOT, Stage, stage


def deployed(on: Stage) -> Scene:
    """A registered model is deployed, all traffic is on it, and it answers."""
    register(on, "7", FRAUD)
    scene = told("model fraud-net:7 registered,\nstage=production", on.settled(subject="models/fraud-net:7"))
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
    return scene.also(f"scored: {answer.status_code}, by version {answer.json().get('version')}", right)


def held_back(on: Stage) -> Scene:
    """A model whose tags match no rule is left alone; `explain` says why."""
    tags = {**FRAUD, "stage": "dev"}
    register(on, "8", tags)
    why = explained(on.model_registered("fraud-net", "8", tags))
    because = why["because"]
    outcome = f"no response: {because['path']} is {because['found']},\nnot {json.dumps(because['wanted'])}"
    right = because["path"] == "where.model.tags.stage" and not on.responses("models/fraud-net:8")
    return Scene("model fraud-net:8 registered,\nstage=dev", why["id"], outcome, right)


def explained(event: Json) -> Json:
    """What `python -m mlevents explain` says of the deploying rule."""
    command = [sys.executable, "-m", "mlevents", "explain", "-", "--json"]
    answer = subprocess.run(
        command, cwd=ROOT, input=json.dumps(event), capture_output=True, text=True, check=False
    )
    rules: list[Json] = json.loads(answer.stdout)["events"][0]["rules"]
    return next(rule for rule in rules if rule["id"] == "deploy-production-models")


def drifted(on: Stage) -> Scene:
    """Version 1 of data drift starts the Data Factory pipeline, and its run is followed."""
    event = on.drift_detected("fraud-drift", 0.83)
    on.publish(event)
    return told("data drift (v1),\ncoefficient 0.83", on.settled(event_id=event["id"]))


def breached(on: Stage) -> Scene:
    """So do the breaches that one run of a version 2 model monitor reports: two signals, four events."""
    found = [(signal, status) for signal in ("inputs", "outputs") for status in ("Finalizing", "Completed")]
    events = [on.signal_breached("monitor-1", *one) for one in found]
    for event in events:
        on.deliver("RunStatusChanged", event)
    subjects = dict.fromkeys(event["subject"] for event in events)
    responses = [one for subject in subjects for one in on.settled_or_none(subject)]
    return told("model monitor (v2) reports two\nsignals, by four events", responses)


def failed(on: Stage) -> Scene:
    """A failed run is told by mail and to Teams."""
    event = on.run_status_changed("train-42", "Failed")
    on.publish(event)
    scene = told("run train-42 failed", on.settled(event_id=event["id"]))
    ways = sorted({message["via"] for message in on.inbox() if "train-42" in json.dumps(message)})
    return scene.also(f"arrived by {' and '.join(ways)}", ways == ["email", "webhook"])


def redelivered(on: Stage) -> Scene:
    """The same event again, at once and later, does nothing again."""
    before = runs_created(on)
    event = on.drift_detected("redelivered", 0.9)
    answers = [on.deliver("DatasetDriftDetected", event).status_code for _ in range(2)]
    on.settled(event_id=event["id"])
    answers.append(on.deliver("DatasetDriftDetected", event).status_code)
    scene = told("one drift event, delivered\nthree times", on.settled(event_id=event["id"]))
    return scene.also("one response, one run", answers == [202] * 3 and runs_created(on) == before + 1)


def runs_created(on: Stage) -> int:
    """How often Data Factory was asked to start a pipeline."""
    return sum("createRun" in one["path"] for one in on.requests_seen("POST"))


def refused(on: Stage) -> Scene:
    """An event from a workspace that the rule file does not list is refused."""
    event = on.model_registered("fraud-net", "9", FRAUD, topic=on.workspace.replace("ml-prod", "ml-other"))
    on.deliver("ModelRegistered", event)
    scene = told("a model of workspace ml-other", on.settled(event_id=event["id"]), "refused")
    return replace(scene, outcome="refused: ml-other is not a workspace of the rule file")


def quarantined(on: Stage) -> Scene:
    """An event that cannot be understood is kept, and somebody is told."""
    on.deliver("ModelRegistered", {"id": "rubbish-1", "eventType": 7})
    scene = told("rubbish", on.settled(event_id="rubbish-1"), "quarantined")
    alerted = any("quarantine" in json.dumps(message).lower() for message in on.inbox())
    return scene.also("kept, and Teams was notified", alerted)


PLAYS: tuple[Play, ...] = (
    deployed,
    promoted,
    taken_back,
    held_back,
    drifted,
    breached,
    failed,
    redelivered,
    refused,
    quarantined,
)


def timed(on: Stage) -> Iterator[tuple[Scene, float]]:
    """Every scene with its seconds; one that breaks off is a scene that is not right."""
    for play in PLAYS:
        start = time.monotonic()
        try:
            scene = play(on)
        except (TimeoutError, requests.RequestException, LookupError) as error:
            scene = Scene(play.__name__.replace("_", " "), "—", f"broke off: {error!r:.300}", False)
        yield scene, time.monotonic() - start


def demo(speed: float = 120) -> int:
    """Play everything and print the table; 0 only if all came out right."""
    table = Table(title="Azure ML events become actions", show_lines=True, title_justify="left")
    for heading in ("", "event", "rule", "outcome", "s"):
        whole = heading in ("rule", "s")
        table.add_column(
            heading, justify="right" if heading == "s" else "left", overflow="fold", no_wrap=whole
        )
    right = True
    CONSOLE.print(f"Playing on the sandbox: Azure on this machine, {speed:g} times as fast …\n")
    with tempfile.TemporaryFile() as log, stage(speed=speed, log=log) as on:
        os.environ |= on.environment()
        for scene, seconds in timed(on):
            right &= scene.right
            mark = "[green]✓[/]" if scene.right else "[red]✗[/]"
            table.add_row(mark, scene.event, scene.rule, scene.outcome, f"{seconds:.1f}")
        CONSOLE.print(table)
        if not right:
            log.seek(0)
            CONSOLE.print(log.read().decode(errors="replace"), markup=False)
    CONSOLE.print(
        "All came out right." if right else "Not everything came out right; above is the app's log."
    )
    return 0 if right else 1
