"""The sample events of these tests, and how to dress one event in each envelope and casing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlevents.events import Event, parse

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests" / "data" / "events"
WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-kite"
    "/providers/Microsoft.MachineLearningServices/workspaces/kite-lab"
)
PREFIX = "Microsoft.MachineLearningServices."
SUBJECTS = {
    "ModelRegistered": "models/m:1",
    "ModelDeployed": "endpoints/s",
    "RunCompleted": "experiments/x/runs/r1",
    "RunStatusChanged": "experiments/x/runs/r1",
    "DatasetDriftDetected": "datadrift/d/run/r1",
}


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text(encoding="utf-8")


def wire(type_name: str, members: Any, **envelope: Any) -> dict[str, Any]:
    """One event in the Event Grid schema."""
    return {
        "id": "evt-1",
        "topic": WORKSPACE,
        "eventType": PREFIX + type_name,
        "eventTime": "2026-01-02T03:04:05Z",
        "subject": SUBJECTS.get(type_name, ""),
        "data": members,
        **envelope,
    }


def run_event(tags: Any = None, properties: Any = None, **members: Any) -> Event:
    """A parsed RunStatusChanged of the run `r1`."""
    told = {"runId": "r1", "experimentName": "nightly", "runTags": tags, "runProperties": properties}
    return parse(wire("RunStatusChanged", told | members))


def cloud(event: dict[str, Any]) -> dict[str, Any]:
    """The same event in the CloudEvents schema."""
    renamed = {"topic": "source", "eventType": "type", "eventTime": "time"}
    return {renamed.get(key, key): value for key, value in event.items()} | {"specversion": "1.0"}


def cased(event: dict[str, Any], case: Callable[[str], str]) -> dict[str, Any]:
    """The same event with the keys of `data` in another casing."""
    return event | {"data": {case(key): value for key, value in event["data"].items()}}


def pascal(key: str) -> str:
    return key[:1].upper() + key[1:]


def real_events() -> list[dict[str, Any]]:
    """Every sample event, as JSON."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SAMPLES.glob("*.json"))]
    return [event for one in documents for event in (one if isinstance(one, list) else [one])]
