"""What the task hub stores holds no secret: inputs, histories, custom statuses, outcomes and entities."""

import asyncio
from collections.abc import Iterator

import pytest

from sandbox.options import Options
from sandbox.sandbox import Sandbox
from sandbox.sandbox_process import ROOT, Stage
from tests.sandbox.small_sandbox import on_loop

pytestmark = pytest.mark.slow
WEBHOOK = "/sandbox/sandbox"  # of TEAMS_WORKFLOW_URL, which is called as …sig=sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in this process with the repository's own rules, so that its task hub can be read."""
    found = Sandbox(Options(port=0, speed=600, rules=ROOT / "rules.yaml"))
    with on_loop() as loop:
        asyncio.run_coroutine_threadsafe(found.__aenter__(), loop).result(60)
        try:
            yield found
        finally:
            asyncio.run_coroutine_threadsafe(found.__aexit__(None, None, None), loop).result(30)


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
