"""The feed of a running sandbox: what is published appears with its rule and its outcome."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from mlevents.commands.sandbox_client import SandboxClient
from mlevents.commands.sandbox_feed import follow_sandbox
from sandbox.sandbox_process import Stage, until


@contextmanager
def feed(stage: Stage) -> Iterator[StringIO]:
    """What the feed prints while the block runs."""
    out, ended = StringIO(), threading.Event()
    console = Console(file=out, highlight=False)
    arguments = (stage.ready, ended.is_set, console, datetime.now(UTC))
    thread = threading.Thread(target=follow_sandbox, args=arguments)
    thread.start()
    try:
        yield out
    finally:
        ended.set()
        thread.join(30)


def wait_for(out: StringIO, *parts: str) -> str:
    """The line with all of these parts, once it is there."""

    def find() -> str:
        return next((line for line in out.getvalue().splitlines() if all(one in line for one in parts)), "")

    return until(find, 40, lambda: f"no line with {parts} in:\n{out.getvalue()}")


def test_the_feed_shows_every_kind_of_outcome(shipped: Stage):
    with feed(shipped) as out:
        near = shipped.model_registered("fraud-feed", "1", {"stage": "dev"})
        filtered = shipped.model_registered("churn-feed", "1", {})
        failed = shipped.run_status_changed("feed-run", "Failed")
        foreign = shipped.model_registered("fraud-feed", "2", {}, topic=shipped.workspace + "-other")
        shipped.publish(near, filtered, failed, foreign)
        shipped.deliver("ModelRegistered", {"id": "feed-rubbish", "eventType": 7})
        wait_for(out, "fraud-feed:1 (ml-prod)", "deploy-production-models: where.model.tags.stage", '"dev"')
        wait_for(out, "churn-feed:1", "Event Grid filtered it", "models/fraud-")
        wait_for(out, "run.status_changed", "feed-run", "✓ alert-failed-runs: done")
        wait_for(out, "fraud-feed:2 (ml-prod-other)", "✗ no rule: refused")
        wait_for(out, "✗", "quarantined")
    lines = out.getvalue().splitlines()
    assert len(lines) == len(set(lines))


def test_the_feed_outlives_a_restart_of_the_app(shipped: Stage):
    with feed(shipped) as out:
        shipped.kill()
        shipped.start()
        event = shipped.run_status_changed("after-restart", "Failed")
        SandboxClient(shipped.ready).publish_event(json.loads(json.dumps(event)))
        wait_for(out, "after-restart", "✓ alert-failed-runs: done")
