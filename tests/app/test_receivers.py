"""What the app sends stays on this machine: every receiver is the sandbox's inbox, unless named by --real."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.sandbox_process import ROOT, Stage, stage, until

RULES = """\
version: 1
connections:
  hook: {type: apprise, url: {setting: OWN_HOOK}}
  unset: {type: apprise, url: {setting: UNSET_HOOK}}
  slack: {type: apprise, url: "slack://T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx"}
  pager: {type: apprise, url: "discord://000000000000000000/yyyyyyyyyyyyyyyyyyyy"}
  acs: {type: email, endpoint: "https://mine.communication.azure.com", sender: a@b.example, to: [c@d.example]}
  mail: {type: smtp, host: smtp.mine.example, port: 465, tls: tls, sender: a@b.example, to: [e@f.example]}
  on-call: {type: apprise, url: "pagerduty://rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr@tttttttttttttttttttt"}
  alerts: {type: apprise, url: "opsgenie://aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"}
  channel: {type: apprise, url: "workflows://teams.mine.example/flow/signature"}
  api: {type: http, base: "https://api.mine.example/v1", sign: {setting: API_SIGNING}}
  cd: {type: http, base: {setting: CD_ADDRESS}, token_for: "api://cd", headers: {X-Key: {setting: CD_KEY}}}
  metadata: {type: http, base: "http://169.254.169.254/metadata", allow_private: true}
  inside: {type: http, base: "https://127.0.0.1/admin"}
  topic: {type: event_grid, endpoint: "https://ml.westeurope-1.eventgrid.azure.net/api/events"}
  queue: {type: storage_queue, account: staudit, queue: ml-events}
  lake: {type: event_hub, namespace: {setting: HUBS}, hub: ml-events}
  bus: {type: service_bus, namespace: sbns-ml.servicebus.windows.net, topic: ml-events}
  cicd: {type: github, repository: example/ml-cd, app_id: "7", private_key: {setting: GITHUB_APP_KEY}}
  pipelines: {type: azure_devops, organization: example, project: ml}
  tickets: {type: jira, site: "https://mine.atlassian.net", project: ML, user: a@b.example,
            token: {setting: JIRA_TOKEN}}
  relay: {type: smtp, host: {setting: RELAY}, port: {setting: RELAY_PORT}, sender: a@b.example,
          to: [{setting: RELAY_TO}], username: me, password: {setting: RELAY_PASSWORD}}
rules:
  - id: report
    event: run.status_changed
    where: {run: {status: Failed}}
    do:
      - {uses: notify, with: {to: [hook, unset, slack, pager, acs, mail, relay], template: run-failed}}
    on_failure: []
  - id: trigger
    event: run.status_changed
    where: {run: {status: NotResponding}}
    do:
      - uses: notify
        with:
          to: [on-call, alerts, channel]
          subject: "${run.id} failed"
          text: "Run:  ${run.id}\\nOpen: ${run.link}"
          incident: "ml/${run.experiment}"
  - id: resolve
    event: run.status_changed
    where: {run: {status: Queued}}
    do:
      - uses: notify
        with: {to: [on-call, alerts, channel], subject: "${run.id} works", text: "Run: ${run.id}",
               incident: "ml/${run.experiment}", resolve: true}
  - id: call
    event: run.status_changed
    where: {run: {status: completed}}
    do:
      - {uses: call_http, with: {connection: api, path: runs, json: {run: "${run.id}"}, result: {ok: "$.ok"}}}
      - {id: cd, uses: call_http, if: "${steps.call_http.ok}", with: {connection: cd, cloudevent: true}}
  - id: call-and-wait
    event: run.status_changed
    where: {run: {status: completed}}
    do:
      - uses: call_http
        with: {connection: api, path: work, result: {report: "$.url"}, wait: {callback: true, timeout: 48h}}
      - {uses: call_http, id: after, with: {connection: api, path: "${steps.call_http.report}"}}
  - id: stream
    event: run.status_changed
    where: {run: {status: canceled}}
    do:
      - {uses: forward, with: {to: topic}}
      - {uses: forward, id: shaped, with: {to: queue, format: json, data: {run: "${run.id}"}}}
      - {uses: forward, id: keyed, with: {to: lake, format: json, data: 1, partition_key: "${run.id}"}}
      - {uses: forward, id: ordered, with: {to: bus, session: "${run.id}"}}
  - id: promote
    event: run.status_changed
    where: {run: {status: canceled}}
    do:
      - uses: dispatch_github_workflow
        with: {connection: cicd, workflow: promote.yml, ref: main, inputs: {run: "${run.id}"}, wait: true}
      - uses: run_devops_pipeline
        with: {connection: pipelines, pipeline: promote, parameters: {run: "${run.id}"}, wait: true}
      - {uses: create_work_item, with: {connection: tickets, title: "Run ${run.id}", text: "See ${run.link}"}}
      - {id: board, uses: create_work_item, with: {connection: pipelines, title: "Run ${run.id}"}}
      - {id: issue, uses: create_work_item, with: {connection: cicd, title: "Run ${run.id}"}}
  - id: call-metadata
    event: run.status_changed
    where: {run: {status: completed}}
    do: [{uses: call_http, with: {connection: metadata, method: GET}}]
  - id: call-inside
    event: run.status_changed
    where: {run: {status: completed}}
    do: [{uses: call_http, with: {connection: inside}}]
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("receivers")
    (folder / "rules.yaml").write_text(RULES)
    values = {
        "OWN_HOOK": "slack://T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx",
        "RELAY": "smtp.real.example",
    }
    (folder / "local.settings.json").write_text(json.dumps({"Values": values}))
    with stage(folder / "rules.yaml", 600) as found:
        yield found


def test_every_message_arrives_in_the_inbox_and_nowhere_else(running: Stage):
    running.publish(running.run_status_changed("train-1", "Failed"))
    [response] = running.settled()
    assert response["status"] == "done", response
    arrived = running.inbox()
    assert sorted(to for one in arrived for to in one["to"]) == [
        "/OWN_HOOK",
        "/UNSET_HOOK",
        "c@d.example",
        "discord.com/api/webhooks/000000000000000000/yyyyyyyyyyyyyyyyyyyy",
        "e@f.example",
        "hooks.slack.com/services/T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx",
        "inbox@sandbox.example",
    ]
    assert all("train-1" in json.dumps(one) for one in arrived)


def test_an_incident_is_triggered_and_resolved_by_its_key(running: Stage):
    for run, status, rule in (("train-6", "NotResponding", "trigger"), ("train-7", "Queued", "resolve")):
        event = running.run_status_changed(run, status)
        running.publish(event)
        [response] = running.settled(rule=rule, event_id=event["id"])
        assert response["status"] == "done", response
    arrived = [one for one in running.inbox() if one["via"] == "webhook"]
    first, last = (one["body"] for one in arrived if one["to"] == ["events.pagerduty.com/v2/enqueue"])
    assert (first["event_action"], last["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == last["dedup_key"]
    assert first["links"][0]["href"].startswith("https://ml.azure.com/runs/train-6?wsid=")
    [alert] = [one["body"] for one in arrived if one["to"] == ["api.opsgenie.com/v2/alerts"]]
    closed = [one["to"] for one in arrived if one["to"][0].startswith("api.opsgenie.com/v2/alerts/")]
    assert closed == [[f"api.opsgenie.com/v2/alerts/{alert['alias']}/close"]]
    cards = [one for one in arrived if one["to"][0].startswith("teams.mine.example/workflows/flow/")]
    assert [one["subject"] for one in cards] == ["train-6 failed", "train-7 works"]


def test_the_ready_file_has_the_chosen_settings(running: Stage):
    chosen = running.ready["settings"]
    names = {"OWN_HOOK", "UNSET_HOOK", "RELAY", "RELAY_PORT", "RELAY_TO", "RELAY_PASSWORD"}
    names |= {"API_SIGNING", "CD_ADDRESS", "CD_KEY", "GITHUB_APP_KEY", "JIRA_TOKEN", "HUBS"}
    assert set(chosen) == names
    assert chosen["OWN_HOOK"].startswith("jsons://127.0.0.1:")
    assert chosen["RELAY"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("real", "fault"),
    [
        (["UNKNOWN"], "--real 'UNKNOWN': no connection has this setting"),
        (["UNSET_HOOK"], "--real 'UNSET_HOOK': this setting is not set"),
        (["OWN_HOOK"], "the connection 'slack' has its address in the rule file"),
    ],
)
def test_a_real_receiver_that_cannot_be_used_alone_is_refused(tmp_path: Path, real: list[str], fault: str):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "local.settings.json").write_text('{"Values": {"OWN_HOOK": "json://localhost"}}')
    command = [sys.executable, "-m", "sandbox", "up", "--port", "0", "--rules", str(tmp_path / "rules.yaml")]
    for name in real:
        command += ["--real", name]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert fault in done.stderr
    assert "Traceback" not in done.stderr


def test_calls_arrive_with_what_proves_their_sender_and_none_reaches_inside(running: Stage):
    running.publish(running.run_status_changed("train-2", "Completed"))
    rules = ("call", "call-metadata", "call-inside")
    found = {rule: running.settled(rule=rule)[0] for rule in rules}
    called = {one["to"][0]: one for one in running.inbox() if one["via"] == "webhook"}
    assert found["call"]["status"] == "done", found["call"]
    api = called["api.mine.example/v1/runs"]
    assert api["headers"]["webhook-signature"].startswith("v1,")
    assert api["body"] == {"run": "train-2"}
    cd = called["service.sandbox.example/CD_ADDRESS"]
    assert cd["headers"]["authorization"].startswith("Bearer ")
    assert cd["body"]["specversion"] == "1.0"
    assert cd["headers"]["idempotency-key"] != api["headers"]["idempotency-key"]
    assert "an address of the cloud platform" in str(found["call-metadata"]["because"])
    assert "the host '127.0.0.1' is a loopback address" in str(found["call-inside"]["because"])


def test_a_service_ends_a_step_at_its_address_once(running: Stage):
    event = running.run_status_changed("train-3", "Completed")
    running.publish(event)
    address = until(lambda: find_callback(running), 60, lambda: "no call arrived")
    assert address is not None
    assert requests.post(address[:-1] + "_", json={}, timeout=30).status_code == 403
    assert requests.post(address.replace("call_http", "after"), json={}, timeout=30).status_code == 403
    assert requests.get(address, timeout=30).status_code in (404, 405)
    assert requests.post(address, json={"text": "x" * 40_000}, timeout=30).status_code == 413
    [waiting] = running.responses(rule="call-and-wait", event_id=event["id"])
    assert waiting["status"] in ("running", "waiting")
    answer = requests.post(address, json={"status": "passed", "url": "reports/7"}, timeout=30)
    assert (answer.status_code, answer.json()) == (202, {"step": "call_http", "status": "accepted"})
    [ended] = running.settled(rule="call-and-wait", event_id=event["id"])
    assert ended["status"] == "done"
    assert any(one["to"] == ["api.mine.example/v1/reports/7"] for one in running.inbox())
    assert requests.post(address, json={}, timeout=30).status_code == 410


def find_callback(running: Stage) -> str | None:
    """The address in the latest call that asks for a callback."""
    work = [one for one in running.inbox() if one["to"] == ["api.mine.example/v1/work"]]
    return work[-1]["headers"]["mlevents-callback-url"] if len(work) > 1 else None


def test_forwarded_events_arrive_in_the_inbox(running: Stage):
    fault = {"match": "SEND /ml-events", "drop": True, "after": True, "skip": 1}
    assert requests.post(running.ready["faults"], json=fault, timeout=30).status_code == 201
    event = running.run_status_changed("train-4", "Canceled")
    running.publish(event)
    [response] = running.settled(rule="stream", event_id=event["id"])
    assert response["status"] == "done", response
    topic, queue = (
        next(one for one in running.inbox() if one["via"] == via) for via in ("event_grid", "storage_queue")
    )
    assert topic["to"] == ["ml.westeurope-1.eventgrid.azure.net/api/events"]
    assert topic["body"]["data"]["run"]["id"] == "train-4"
    assert topic["body"]["mleventsresponse"] == response["id"]
    assert (queue["to"], queue["body"]) == (["staudit.queue.core.windows.net/ml-events"], {"run": "train-4"})
    [hub] = [one for one in running.inbox() if one["via"] == "event_hub"]
    assert (hub["to"], hub["body"]) == (["sandbox-hubs.servicebus.windows.net/ml-events"], 1)
    assert hub["headers"]["partition-key"] == "train-4"
    repeated = [one for one in running.inbox() if one["via"] == "service_bus"]
    assert [one["to"] for one in repeated] == [["sbns-ml.servicebus.windows.net/ml-events"]] * 2
    assert {one["headers"]["message-id"] for one in repeated} == {event["id"]}
    assert {one["headers"]["session-id"] for one in repeated} == {"train-4"}
    assert len({json.dumps(one["body"]) for one in repeated}) == 1


def test_ci_is_started_by_a_github_app_and_by_the_identity_and_followed(running: Stage):
    event = running.run_status_changed("train-5", "Canceled")
    running.publish(event)
    [response] = running.settled(rule="promote", event_id=event["id"])
    assert response["status"] == "done", response
    assert response["steps"][0]["detail"].endswith(" succeeded")
    items = [one["via"] for one in running.inbox() if one["subject"].endswith("Run train-5")]
    assert items == ["jira", "azure_devops", "github"]
    [ticket] = [one for one in running.inbox() if one["subject"] == "Run train-5" and one["via"] == "jira"]
    assert ticket["text"].startswith("See https://ml.azure.com/")
    workflows = [one for one in running.inbox() if one["subject"].startswith("workflow ")]
    [sent] = [one for one in workflows if "train-5" in json.dumps(one)]
    assert (sent["to"], sent["subject"]) == (["github.com/example/ml-cd"], "workflow promote.yml at main")
    assert sent["body"]["inputs"]["mlevents_response"].startswith("mlevents-")
    runs = [one for one in running.inbox() if "pipeline promote" in one["subject"]]
    [run] = [one for one in runs if "train-5" in json.dumps(one)]
    assert (run["to"], run["body"]["templateParameters"]["run"]) == (["dev.azure.com/example/ml"], "train-5")
