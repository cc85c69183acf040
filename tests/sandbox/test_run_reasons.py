"""Why runs failed, read from the sandbox's Azure ML by the real SDKs: what a message says of it."""

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from mlevents.actions.action import Done, Outcome, Pending
from mlevents.actions.notify.action import Notify
from mlevents.events import Event
from mlevents.services.connection import Connection, Message
from mlevents.services.machine_learning import workspace_client
from mlevents.services.services import Services
from sandbox.azure.workspace import WORKSPACE_ID
from tests.sandbox.arm_server import Server, services_of, until
from tests.unit.stand_ins import step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDKs
DETAILS = "GET .*/runs/.*/details"
numbers = itertools.count(1)


class Inbox(Connection):
    received: list[Message] = []  # noqa: RUF012 - pydantic copies it

    def send(self, message: Message, services: Services) -> str:
        self.received.append(message)
        return "inbox"


class Office(Services):
    """The app's services with one inbox."""

    def __init__(self, services: Services) -> None:
        settings = replace(services.settings, private_hosts=frozenset("*"), environment=dict(os.environ))
        super().__init__(settings)
        self.inbox = Inbox()

    def connection(self, name: str) -> Connection:
        return self.inbox


@pytest.fixture
def office(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with services_of(server, monkeypatch) as services:
        yield Office(services)


def run_pipeline(server: Server, **tags: str) -> str:
    """The id of a pipeline's run of one step that has ended."""
    name = f"nightly-{next(numbers)}"
    component = f"{WORKSPACE_ID}/components/retrain/versions/1"
    properties = {"jobType": "Pipeline", "componentId": component, "experimentName": "nightly", "tags": tags}
    assert server.call("PUT", f"jobs/{name}", json={"properties": properties}).status_code == 201
    until(
        lambda: server.call("GET", f"jobs/{name}").json()["properties"]["status"] in ("Completed", "Failed")
    )
    return name


def fail(server: Server, error: str = "OutOfMemory: no memory for 3 GB", **tags: str) -> str:
    return run_pipeline(server, **{"sandbox.outcome": "Failed", "sandbox.error": error, **tags})


def describe(run: str) -> dict[str, Any]:
    return {"run": {"id": run, "experiment": "nightly", "status": "Failed"}}


def notify(office: Office, names: Mapping[str, Any], **parameters: Any) -> tuple[Outcome, list[Pending]]:
    """Perform as the orchestration does: what came of it, and the attempts before."""
    action = Notify.model_validate({"to": "inbox", "template": "run-failed", **parameters})
    event = Event(f"e{next(numbers)}", "run.status_changed", (), "", "experiments/x", WORKSPACE_ID, names)
    context, attempts = replace(step(names), event=event), list[Pending]()
    while isinstance(outcome := action.perform(context, office), Pending):
        attempts.append(outcome)
        context = replace(context, progress=outcome.progress)
    return outcome, attempts


def test_a_message_says_why_a_pipeline_failed(server: Server, office: Office):
    run = fail(server)
    _, attempts = notify(office, describe(run))
    assert attempts == [], "the runs are read by the attempt that sends"
    [message] = office.inbox.received
    assert message.subject == f"Run {run} of nightly: Failed, OutOfMemory"
    lines = message.text.splitlines()
    assert {
        "Error:      UserError: Pipeline has failed child jobs. Failed nodes: /train.",
        "Step:       train: OutOfMemory: no memory for 3 GB",
        "Compute:    cpu-cluster",
        "Owner:      Sandbox Owner",
        "Log:        user_logs/std_log.txt",
        "The end of the log:",
        "    Traceback (most recent call last):",
        "    no memory for 3 GB",
        f"Open run:      https://ml.azure.com/runs/{run}?wsid={WORKSPACE_ID}",
    } <= set(lines)
    assert any(line.startswith("Duration:   ") for line in lines)


def test_the_log_ends_with_its_last_lines_and_has_no_secret(server: Server, office: Office):
    job = {
        "jobType": "Command",
        "command": "python train.py",
        "experimentName": "nightly",
        "environmentId": f"{WORKSPACE_ID}/environments/inference/versions/1",
        "tags": {
            "sandbox.outcome": "Failed",
            "sandbox.log": "\n".join(f"line {n}" for n in range(9000))
            + "\npassword=hunter2butlonger\nthe end",
        },
    }
    name = f"single-{next(numbers)}"
    assert server.call("PUT", f"jobs/{name}", json={"properties": job}).status_code == 201
    until(lambda: server.call("GET", f"jobs/{name}").json()["properties"]["status"] == "Failed")
    notify(office, describe(name))
    text = office.inbox.received[-1].text
    assert text.count("\n    line ") == 18
    assert "    line 8999\n    password=…\n    the end\n" in text
    notify(office, describe(name), include_log=False)
    assert "line 8999" not in office.inbox.received[-1].text


def test_a_group_counts_the_causes_and_leaves_out_what_runs_again(server: Server, office: Office):
    runs = [fail(server), fail(server), fail(server, "DiskFull: no space")]
    again = run_pipeline(server)
    events = [describe(run) for run in (again, *runs)]
    names = {**events[0], "group": {"count": 4, "events": events}}
    notify(office, names)
    [message] = office.inbox.received
    assert message.subject == "3 runs of experiment nightly failed, 2 with OutOfMemory"
    assert "Cause:      OutOfMemory, 2 of 3 runs\nCause:      DiskFull, 1 of 3 runs\n" in message.text
    assert f"Run:        {runs[0]}" in message.text
    assert again not in message.text


def test_nothing_is_sent_when_the_run_has_not_failed_any_more(server: Server, office: Office):
    run = run_pipeline(server)
    outcome, _ = notify(office, describe(run))
    assert outcome == Done(f"not sent: {run} is Completed now", {"sent": []})
    assert office.inbox.received == []


@pytest.mark.parametrize(
    ("fault", "said", "attempts"),
    [
        ({"status": 503}, "Azure answered 503", 2),
        ({"status": 404}, "there is no run", 0),
    ],
)
def test_a_run_that_cannot_be_read_is_reported_all_the_same(
    server: Server, office: Office, fault: dict[str, Any], said: str, attempts: int
):
    run = fail(server)
    server.call("POST", "/_sandbox/faults", json={"match": DETAILS, "times": 9, **fault})
    _, pending = notify(office, describe(run))
    assert len(pending) == attempts
    [message] = office.inbox.received
    assert message.subject == f"Run {run} of nightly: Failed"
    assert "Error:      unknown; see the run in Studio" in message.text
    assert said in message.text.partition("Reason:     not read: ")[2].splitlines()[0]


def test_the_reading_needs_the_right_that_the_rules_ask_for(server: Server, office: Office):
    run = fail(server)
    needed = {name for one in Notify.permissions for name in one.actions}
    for right in needed:
        permissions = [{"actions": sorted(needed - {right}), "notActions": []}]
        body = {"permissions": permissions, "scope": WORKSPACE_ID, "who": "app"}
        assert server.call("POST", "/_sandbox/permissions", json=body).status_code == 204
        workspace_client._open.cache_clear()
        notify(office, describe(run))
        assert "Azure answered 403 AuthorizationFailed" in office.inbox.received[-1].text
        assert right in office.inbox.received[-1].text
    body["permissions"] = [{"actions": sorted(needed), "notActions": []}]
    server.call("POST", "/_sandbox/permissions", json=body)
    notify(office, describe(run))
    assert "OutOfMemory" in office.inbox.received[-1].subject


def test_what_is_read_once_serves_every_receiver_and_retry(server: Server, office: Office):
    run = fail(server)
    names, before = describe(run), len(requests(server, run))
    _, attempts = notify(office, names, to=["a", "b", "c"])
    assert len(office.inbox.received) == 3
    assert len(attempts) == 2
    assert requests(server, run)[before:].count("details") == 1


def requests(server: Server, run: str) -> list[str]:
    found = server.call("GET", "/_sandbox/requests").json()
    paths = [str(one.get("path", "")) for one in (found if isinstance(found, list) else found["value"])]
    return [path.rsplit("/", 1)[-1].partition("?")[0] for path in paths if f"/runs/{run}/" in path]
