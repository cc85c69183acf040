"""Events rebuilt from the sandbox's Azure ML, by the real SDKs over TLS: pages, throttling, rights."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.event_history.history import EventHistory
from mlevents.event_history.lookup import find_model_event, find_run_events
from mlevents.event_history.throttling import READ_ATTEMPTS, ThrottlePatience
from mlevents.events import Event, parse
from mlevents.services.machine_learning.workspace_client import MachineLearning
from sandbox.azure.identity import OWNER
from sandbox.azure.workspace import WORKSPACE_ID
from tests.sandbox.arm_server import Server, services_of, until

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
MODEL = "azureml://jobs/train-7/outputs/artifacts/paths/model"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
BREACH = "azureml_modelmonitor_threshold_breached"
READS = tuple(
    f"Microsoft.MachineLearningServices/workspaces/{tail}"
    for tail in ("read", "models/read", "models/versions/read", "experiments/read", "experiments/runs/read")
)
numbers = itertools.count(1)


@pytest.fixture
def workspace(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[MachineLearning]:
    """The workspace, asked by a person who may read the history and nothing else."""
    with services_of(server, monkeypatch) as services:
        monkeypatch.setenv("IDENTITY_HEADER", OWNER)
        allow(server, *READS)
        yield services.machine_learning(WORKSPACE_ID)


@pytest.fixture
def name() -> str:
    return f"past-{next(numbers)}"


def allow(server: Server, *actions: str) -> None:
    permissions = [{"actions": list(actions), "notActions": []}]
    body = {"permissions": permissions, "scope": WORKSPACE_ID, "who": OWNER}
    assert server.call("POST", "/_sandbox/permissions", json=body).status_code == 204


def history(workspace: MachineLearning, since: datetime = LONG_AGO, **more: Any) -> EventHistory:
    return EventHistory(WORKSPACE_ID, since, workspace.models, workspace.runs, **more)


def register(server: Server, name: str, version: str, **tags: str) -> None:
    server.call("DELETE", "/_sandbox/permissions")
    body = {"properties": {"modelUri": MODEL, "tags": tags}}
    assert server.call("PUT", f"models/{name}/versions/{version}", json=body).status_code == 201
    allow(server, *READS)


def run_job(server: Server, name: str, **tags: str) -> None:
    """Run a pipeline of one step to its end."""
    server.call("DELETE", "/_sandbox/permissions")
    component = f"{WORKSPACE_ID}/components/retrain/versions/1"
    properties = {"jobType": "Pipeline", "componentId": component, "experimentName": name, "tags": tags}
    assert server.call("PUT", f"jobs/{name}", json={"properties": properties}).status_code == 201
    until(
        lambda: server.call("GET", f"jobs/{name}").json()["properties"]["status"] in ("Completed", "Failed")
    )
    allow(server, *READS)


def announce(server: Server, kind: str, subject: str, time: datetime, **members: Any) -> None:
    """Let the workspace remember what an event says, as if it had happened at that time."""
    event = {
        "id": "e",
        "topic": WORKSPACE_ID,
        "subject": subject,
        "eventType": f"Microsoft.MachineLearningServices.{kind}",
        "eventTime": time.isoformat(),
        "data": members,
    }
    server.manager.machine_learning.remember_announced(parse(event))


def about(events: list[dict[str, Any]], part: str) -> list[Event]:
    return [parse(event) for event in events if part in event["subject"]]


def sent(server: Server, subject: str) -> list[dict[str, Any]]:
    return [event for event in server.events if subject in event["subject"]]


def same_but_its_moment(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key not in ("id", "eventTime")}


def test_a_model_gives_the_event_that_was_sent(server: Server, workspace: MachineLearning, name: str) -> None:
    register(server, name, "1", stage="production")
    found = find_model_event(workspace.models, WORKSPACE_ID, f"{name}:1")
    [original] = sent(server, f"models/{name}:1")
    assert same_but_its_moment(found) == same_but_its_moment(original)
    between = datetime.fromisoformat(found["eventTime"]) - datetime.fromisoformat(original["eventTime"])
    assert abs(between) < timedelta(seconds=5)
    assert find_model_event(workspace.models, WORKSPACE_ID, f"{name}:1")["id"] == found["id"]


def test_a_run_gives_the_last_events_that_were_sent(
    server: Server, workspace: MachineLearning, name: str
) -> None:
    run_job(server, name, team="risk")
    found = find_run_events(workspace.runs, WORKSPACE_ID, name)
    originals = [one for one in sent(server, f"/runs/{name}")][-2:]
    assert [*map(same_but_its_moment, found)] == [*map(same_but_its_moment, originals)]
    assert [parse(one).type for one in found] == ["run.status_changed", "run.completed"]


@pytest.mark.parametrize("what", ["nothing-here:1", "nothing-here@latest", "nothing here"])
def test_a_model_that_is_not_there_is_named(workspace: MachineLearning, what: str) -> None:
    with pytest.raises(PermanentError, match=what):
        find_model_event(workspace.models, WORKSPACE_ID, what)


@pytest.mark.parametrize("what", ["no-such-run", "../experiments", "a/b"])
def test_a_run_that_is_not_there_is_named(workspace: MachineLearning, what: str) -> None:
    with pytest.raises(PermanentError, match=f"there is no run '{what}'"):
        find_run_events(workspace.runs, WORKSPACE_ID, what)


def test_steps_and_monitor_breaches_are_part_of_the_history(
    server: Server, workspace: MachineLearning, name: str
) -> None:
    tags = {BREACH: "The signal 'inputs' has failed due to …", "azureml.pipelinerunid": name}
    members = {"experimentName": name, "runId": f"{name}-step", "runType": "azureml.StepRun", "runTags": tags}
    subject = f"experiments/{name}/runs/{name}-step"
    announce(server, "RunStatusChanged", subject, datetime.now(UTC), **members, runStatus="Failed")
    run_job(server, name)
    events = history(workspace).read_events()
    [breach] = about(events, f"{name}-step")
    assert breach.kinds == ("run.status_changed", "drift.detected")
    assert (breach.names["drift"]["signal"], breach.names["drift"]["monitor_run"]) == ("inputs", name)
    steps = [one for one in map(parse, events) if one.names.get("run", {}).get("root") is False]
    mine = [one for one in steps if one.names["run"]["tags"]["azureml.pipelinerunid"] == name]
    assert {one.names["run"]["status"] for one in mine} == {"Failed", "Completed"}


def test_every_page_is_read_and_each_event_comes_once(
    server: Server, workspace: MachineLearning, name: str
) -> None:
    start = datetime.now(UTC) - timedelta(days=1)
    for number in range(230):
        moment = start + timedelta(seconds=number)
        announce(server, "ModelRegistered", f"models/{name}:{number}", moment, modelTags={})
        announce(server, "ModelRegistered", f"models/{name}-{number}:1", moment, modelTags={})
        members = {"experimentName": name, "runId": f"{name}-{number}", "runStatus": "Failed"}
        announce(server, "RunStatusChanged", f"experiments/{name}/runs/x", moment, **members)
    server.call("DELETE", "/_sandbox/requests")
    found = about(history(workspace).read_events(), name)
    assert len(found) == len({event.id for event in found}) == 3 * 230
    assert [event.time for event in found] == sorted(event.time or "" for event in found)
    requests = server.call("GET", "/_sandbox/requests").json()
    [query] = {one["path"] for one in requests if one["path"].endswith("runs:query") and name in one["path"]}
    pages = {
        tail: sum(one["path"].endswith(tail) for one in requests)
        for tail in ("/models", f"/models/{name}/versions", query)
    }
    assert pages["/models"] >= 3
    assert (pages[f"/models/{name}/versions"], pages[query]) == (3, 3)


def test_what_is_older_is_left_out_and_its_pages_are_not_read(
    server: Server, workspace: MachineLearning, name: str
) -> None:
    now = datetime.now(UTC)
    for number in range(150):
        moment = now - timedelta(days=150 - number)
        announce(server, "ModelRegistered", f"models/{name}:{number}", moment, modelTags={})
        members = {"experimentName": name, "runId": f"{name}-{number}", "runStatus": "Failed"}
        announce(server, "RunStatusChanged", f"experiments/{name}/runs/x", moment, **members)
    server.call("DELETE", "/_sandbox/requests")
    found = about(history(workspace, now - timedelta(days=10, hours=1)).read_events(), name)
    assert [event.subject for event in found if event.type == "model.registered"] == [
        f"models/{name}:{number}" for number in range(140, 150)
    ]
    assert sum(event.type == "run.status_changed" for event in found) == 10
    requests = [one["path"] for one in server.call("GET", "/_sandbox/requests").json()]
    assert sum(path.endswith(f"/models/{name}/versions") for path in requests) == 1


def test_a_run_counts_by_its_end_not_by_its_creation(
    server: Server, workspace: MachineLearning, name: str
) -> None:
    now = datetime.now(UTC)
    members = {"experimentName": name, "runId": name}
    for moment, status in ((now - timedelta(days=3), "Running"), (now, "Failed")):
        subject = f"experiments/{name}/runs/{name}"
        announce(server, "RunStatusChanged", subject, moment, **members, runStatus=status)
    [event] = about(history(workspace, now - timedelta(days=1)).read_events(), f"/runs/{name}")
    assert event.names["run"]["status"] == "Failed"


def test_throttling_is_waited_for_as_long_as_azure_asks(
    server: Server, workspace: MachineLearning, name: str
) -> None:
    register(server, name, "1")
    run_job(server, name)
    everything = history(workspace).read_events()
    for match in ("GET .*/models$", f"GET .*/models/{name}/versions$", "POST .*/experiments:query"):
        server.fault(match=match, status=429, times=2, headers={"Retry-After": "7"})
    server.fault(match="POST .*/runs:query", status=503, times=1)
    waits: list[float] = []
    notes: list[str] = []
    patience = ThrottlePatience(waits.append, lambda _, reason: notes.append(reason))
    assert history(workspace, patience=patience).read_events() == everything
    assert waits == [*[7.0] * 6, 1.0]
    assert all("Azure answered 429" in note for note in notes[:-1])


def test_endless_throttling_ends_and_says_so(server: Server, workspace: MachineLearning) -> None:
    server.fault(match="GET .*/models$", status=429, times=100)
    waits: list[float] = []
    with pytest.raises(TransientError, match="listing the models: Azure answered 429"):
        history(workspace, patience=ThrottlePatience(waits.append)).read_events()
    assert len(waits) == READ_ATTEMPTS - 1
    assert waits == sorted(waits)


def test_a_wait_of_hours_is_not_waited_for(server: Server, workspace: MachineLearning) -> None:
    server.fault(match="GET .*/models$", status=429, headers={"Retry-After": "7200"})
    with pytest.raises(TransientError, match="429"):
        history(workspace, patience=ThrottlePatience(lambda _: pytest.fail("it waits"))).read_events()


@pytest.mark.parametrize("missing", READS)
def test_each_of_the_rights_is_needed_and_named(
    server: Server, workspace: MachineLearning, name: str, missing: str
) -> None:
    register(server, name, "1")
    run_job(server, name)
    allow(server, *(one for one in READS if one != missing))
    with pytest.raises(RefusedError, match=missing) as caught:
        history(workspace).read_events()
    assert caught.value.status == 403


def test_the_sdk_lists_the_steps_of_a_job(
    server: Server, workspace: MachineLearning, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_job(server, name)
    server.call("DELETE", "/_sandbox/permissions")
    [step] = server.ml_client().jobs.list(parent_job_name=name)
    assert step.status == "Completed"
    with pytest.raises(PermanentError, match="there is no run"):
        find_run_events(workspace.runs, WORKSPACE_ID, f"{name}-none")
    [event, _] = find_run_events(workspace.runs, WORKSPACE_ID, step.name)
    assert parse(event).names["run"]["root"] is False
