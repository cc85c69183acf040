"""Secrets are planted in settings and in errors, and searched for in all that the app stores and says."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from sandbox.options import Options
from sandbox.sandbox import Sandbox
from sandbox.sandbox_process import ROOT, Stage
from tests.sandbox.small_sandbox import on_loop

pytestmark = pytest.mark.slow
WEBHOOK = "/sandbox/sandbox"  # of TEAMS_WORKFLOW_URL, which is called as …sig=sandbox


STORAGE = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=cGxhbnRlZC1rZXktMDEyMzQ1Njc4OTA=;"
PAGES = ("responses", "events", "rules", "health", "doctor", "try")
ADDRESSES = (
    *("v1/responses?limit=500", "responses", "v1/events", "v1/rules", "v1/rules/text", "v1/holds"),
    *("health/details", "v1/health", "v1/openapi.json", "v1/doctor"),
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with all that the app and the host write to the console."""
    return tmp_path_factory.mktemp("log") / "log.txt"


@pytest.fixture(scope="module")
def sandbox(log: Path) -> Iterator[Sandbox]:
    """A sandbox in this process with the repository's own rules, so that its task hub can be read."""
    patch = pytest.MonkeyPatch()
    patch.setenv("AzureWebJobsStorage", STORAGE)
    found = Sandbox(Options(port=0, speed=600, rules=ROOT / "rules.yaml"))
    with on_loop() as loop:
        with written_to(log):
            asyncio.run_coroutine_threadsafe(found.__aenter__(), loop).result(60)
        try:
            yield found
        finally:
            asyncio.run_coroutine_threadsafe(found.__aexit__(None, None, None), loop).result(30)
            patch.undo()


@contextmanager
def written_to(file: Path) -> Iterator[None]:
    """What processes that are started within write goes to the file, for good."""
    kept = [os.dup(number) for number in (1, 2)]
    with file.open("wb") as to:
        for number in (1, 2):
            os.dup2(to.fileno(), number)
    try:
        yield
    finally:
        for number, old in zip((1, 2), kept, strict=True):
            os.dup2(old, number)
            os.close(old)


def stored(sandbox: Sandbox) -> dict[str, str]:
    """Everything that the task hub keeps, as text."""
    hub = sandbox.host.hub
    instances = list(hub._instances.values())
    return {
        "input": "".join(one.input or "" for one in instances),
        "custom status": "".join(one.custom_status or "" for one in instances),
        "output": "".join(one.output or "" for one in instances),
        "history": "".join(str(event) for one in instances for event in one.history),
        "entities": "".join(one.serialized_state or "" for one in hub._entities.values()),
    }


@pytest.mark.parametrize("refused", [False, True], ids=["delivered", "refused"])
def test_no_secret_is_stored(sandbox: Sandbox, refused: bool) -> None:
    stage = Stage(sandbox.ready)
    run = "fraud-refused" if refused else "fraud-secretive"
    if refused:
        stage.fault(match="POST .*/workflows/.*", status=400, times=9)
    event = stage.run_status_changed(run, "Failed")
    stage.deliver("RunStatusChanged", event)
    stage.register(run, "1", {"stage": "production", "accuracy": "0.95"})
    assert stage.settled(event_id=event["id"])[0]["status"] == ("failed" if refused else "done")
    stage.settled(f"models/{run}:1")
    kept = stored(sandbox)
    assert {place for place, text in kept.items() if run not in text} <= {"entities"}
    assert sandbox.host.environment
    settings = sandbox.host.environment(ROOT)
    for secret in (WEBHOOK, "sig=sandbox", settings["MLEVENTS_SECRET"], settings["IDENTITY_HEADER"]):
        assert [place for place, text in kept.items() if secret in text] == []


def secrets_of(sandbox: Sandbox) -> dict[str, str]:
    """The secret in each setting that has one."""
    assert sandbox.host.environment
    settings = sandbox.host.environment(ROOT)
    return {
        "MLEVENTS_SECRET": settings["MLEVENTS_SECRET"],
        "IDENTITY_HEADER": settings["IDENTITY_HEADER"],
        "AzureWebJobsStorage": STORAGE.split("AccountKey=")[1].rstrip(";"),
        "TEAMS_WORKFLOW_URL": settings["TEAMS_WORKFLOW_URL"].partition("://")[2].partition("/")[2],
    }


def said(sandbox: Sandbox, ids: list[str]) -> dict[str, str]:
    """All that people and programs can read: the API, the console, the command, the messages."""
    functions = sandbox.ready["functions"]
    found = {}
    for path in (*ADDRESSES, *(f"v1/responses/{one}" for one in ids)):
        found[path] = requests.get(f"{functions}/api/{path}", timeout=60).text
    for page in (*PAGES, *(f"responses/{one}" for one in ids)):
        found[f"console {page}"] = requests.get(f"{functions}/api/console/{page}", timeout=60).text
    for words in (["responses", "--json"], *(["show", one, "--json"] for one in ids)):
        answer = CliRunner().invoke(build_app(), [*words, "--url", functions])
        found[" ".join(words)] = answer.output
    return found | {"messages": str([one.get("text") for one in Stage(sandbox.ready).inbox()])}


def test_a_secret_of_any_setting_is_in_no_output(sandbox: Sandbox, log: Path) -> None:
    """Azure and a receiver echo each secret in their errors."""
    stage, secrets = Stage(sandbox.ready), secrets_of(sandbox)
    echo = {
        "error": {"code": "BadRequest", "message": f"refused: {' and '.join(secrets.values())} are wrong"}
    }
    for match in ("POST .*createRun.*", "PUT .*/deployments/.*"):
        stage.fault(match=match, status=400, body=echo, times=9)
    drift = stage.drift_detected("planted-monitor", 0.9)
    stage.deliver("DatasetDriftDetected", drift)
    stage.register("fraud-planted", "1", {"stage": "production", "accuracy": "0.95"})
    events: list[dict[str, Any]] = [
        *stage.settled(event_id=drift["id"]),
        *stage.settled("models/fraud-planted:1"),
    ]
    assert [one["status"] for one in events] == ["failed", "failed"]
    assert all("refused:" in one["because"] for one in events), "the error is shown, without the secrets"
    outputs = {**said(sandbox, [one["id"] for one in events]), **stored(sandbox), "log": log.read_text()}
    assert [name for name, text in outputs.items() if not text] == []
    assert "refused:" in outputs["log"]
    found = [
        (name, setting) for name, text in outputs.items() for setting, one in secrets.items() if one in text
    ]
    assert found == []
