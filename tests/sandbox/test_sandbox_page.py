"""The page at `/` without scripts: its forms, what they change, and who may send them."""

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.console.chat import Sender, list_chat, read_senders
from sandbox.console.fault_switches import SWITCHES
from sandbox.console.message_text import TextPart, extract_text, split_message
from sandbox.sandbox_process import ROOT, Stage, stage, until

PROVIDER = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg"
    "/providers/Microsoft.MachineLearningServices/workspaces"
)
RULES = f"""\
version: 1
workspaces: {{dev: {PROVIDER}/ml-dev, prod: {PROVIDER}/ml-prod-2}}
endpoints: [churn-*]
connections:
  team: {{type: apprise, url: {{setting: TEAM_URL}}}}
rules:
  - id: announce
    event: model.registered
    max_age: 2h
    where: {{model: {{tags: {{release: "yes"}}}}}}
    do: [{{uses: notify, with: {{to: team, subject: "New ${{model.name}}", text: "v${{model.version}} <b>now</b> https://ml.example/x?a=1&b=2."}}}}]
  - id: deploy
    event: model.registered
    where: {{model: {{tags: {{stage: production}}}}}}
    do:
      - uses: deploy_model
        with:
          endpoint: "${{model.name}}"
          template: deployments/small.yaml
          rollout: {{smoke_test: {{request: deployments/sample-request.json, latency: 5s}}}}
tests:
  - name: a <b>released</b> model is announced
    given: {{model.registered: {{model: {{name: churn-a, tags: {{release: "yes"}}}}, workspace: prod}}}}
    expect: announce
  - name: an old release is not announced
    given:
      model.registered:
        event: {{time: "2030-01-01T00:00:00Z"}}
        model: {{name: churn-a, tags: {{release: "yes"}}}}
        workspace: dev
    at: "2030-01-01T03:00:00Z"
    expect: {{not: {{announce: max_age}}}}
  - name: a failed run is nobody's concern
    given: {{run.status_changed: {{run: {{id: r-1, status: Failed}}, workspace: dev}}}}
    expect: {{only: []}}
"""  # noqa: E501 - YAML
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(ROOT / "deployments", folder / "deployments")
    (folder / "rules.yaml").write_text(RULES)
    with stage(folder / "rules.yaml", 1200) as found:
        yield found


def get(running: Stage, path: str = "", **headers: str) -> requests.Response:
    return requests.get(running.ready["console"] + path, headers={**BROWSER, **headers}, timeout=20)


def post(
    running: Stage, form: str, headers: dict[str, str] | None = None, /, **fields: Any
) -> requests.Response:
    url = f"{running.ready['console']}sandbox/{form}"
    return requests.post(url, data=fields, headers={**BROWSER, **(headers or {})}, timeout=30)


def publish_test(running: Stage, words: str) -> requests.Response:
    values = map(unescape, re.findall(r'name="test" value="([^"]*)"', get(running).text))
    return post(running, "tests", test=next(one for one in values if words in one))


def read_part(page: str, id: str) -> str:
    """The text of the element with this id, as far as the next one."""
    inner = page.partition(f'id="{id}"')[2].partition("<section")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inner)).split())


def read_latest(running: Stage) -> dict[str, Any]:
    return requests.get(f"{running.ready['event_grid']}/journal", timeout=20).json()["events"][-1]


def test_the_ready_file_leads_to_the_page_which_leads_to_the_console(running: Stage):
    page = get(running)
    assert running.ready["console"] == f"{running.ready['functions']}/"
    assert page.status_code == 200
    places = re.findall(r'href="(/api/console/(?!static)[^"]*)"', page.text)
    assert len(places) >= 5
    for place in {*places, *re.findall(r'(?:src|href)="(/(?:api/console|sandbox)/static/[^"]*)"', page.text)}:
        assert requests.get(running.ready["functions"] + place, timeout=20).status_code == 200, place


def test_each_test_is_a_button_and_its_name_is_no_markup(running: Stage):
    page = get(running).text
    assert page.count('name="test"') == 3
    assert "a &lt;b&gt;released&lt;/b&gt; model is announced" in page
    assert "<b>released</b>" not in page


def test_a_test_is_published_as_written_and_leads_to_its_response(running: Stage):
    page = publish_test(running, "released")
    event = read_latest(running)["event"]
    assert page.status_code == 200
    assert event["topic"].endswith("/ml-prod-2")
    assert event["data"]["modelTags"] == {"release": "yes"}
    [response] = running.settled(event_id=event["id"])
    assert response["rule"] == "announce"
    assert f'href="/api/console/responses/{response["id"]}"' in get(running).text
    assert "delivered to ModelRegistered" in read_part(get(running).text, "events")


def test_a_test_can_be_published_again_and_again(running: Stage):
    publish_test(running, "released")
    first = read_latest(running)["event"]
    publish_test(running, "released")
    second = read_latest(running)["event"]
    assert first["id"] != second["id"]
    assert int(second["data"]["modelVersion"]) == int(first["data"]["modelVersion"]) + 1
    assert running.settled(event_id=second["id"])


def test_an_event_is_as_old_as_in_its_test(running: Stage):
    page = publish_test(running, "old release")
    event = read_latest(running)["event"]
    [response] = running.settled(event_id=event["id"])
    assert response["status"] == "stopped"
    assert "max_age" in response["because"]
    assert event["topic"].endswith("/ml-dev")
    assert "stopped" in read_part(page.text, "events")


def test_a_dropped_event_says_what_the_filter_takes(running: Stage):
    page = publish_test(running, "nobody's concern")
    assert "dropped by the filter of RunStatusChanged, which takes" in read_part(page.text, "events")


def test_an_event_of_ones_own_is_published_in_the_words_of_the_command(running: Stage):
    form = {"type": "model.registered", "name": "churn-own", "tags": 'release=no note="a b"'}
    page = post(running, "events", **form, workspace="prod", more="properties.k=v")
    event = read_latest(running)["event"]
    assert page.status_code == 200
    assert event["topic"].endswith("/ml-prod-2")
    assert event["data"]["modelName"] == "churn-own"
    assert event["data"]["modelTags"] == {"release": "no", "note": "a b"}
    assert event["data"]["modelProperties"] == {"k": "v"}
    assert "No rule responds." in page.text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"type": "model.registred"}, "unknown event type 'model.registred'"),
        ({"type": "model.registered", "more": "nonsense=1"}, "model.registered has no 'nonsense'"),
        ({"type": "model.registered", "tags": '"open'}, "a quote that is not closed"),
        ({"type": "model.deployed", "more": "models"}, "'models' has no value"),
    ],
)
def test_a_wrong_form_says_why_and_publishes_nothing(running: Stage, fields: dict[str, str], says: str):
    before = read_latest(running)["number"] if running.responses() else 0
    page = post(running, "events", **fields)
    assert page.status_code == 400
    assert says in unescape(page.text)
    assert (read_latest(running)["number"] if before else 0) == before


def test_the_inbox_is_a_chat_with_the_connection_that_sent(running: Stage):
    publish_test(running, "released")
    until(running.inbox, 20, lambda: "no message")
    page = get(running).text
    assert "<b>team</b>" in page
    assert "New churn-a" in page
    assert "&lt;b&gt;now&lt;/b&gt;" in page
    assert (
        'href="https://ml.example/x?a=1&amp;b=2" rel="noreferrer noopener" referrerpolicy="no-referrer"'
        in page
    )
    assert post(running, "inbox").text.count('class="bubble"') == 0
    assert running.inbox() == []


@pytest.mark.parametrize("name", [one.name for one in SWITCHES])
def test_a_switch_requests_its_fault_once_and_takes_it_back(running: Stage, name: str):
    try:
        for _ in range(2):
            page = post(running, "faults", switch=name, on="true").text
            assert len(running.faults()) == 1
        assert f'id="switch-{name}" role="switch" aria-checked="true"' in page
        assert page.count('aria-checked="true"') == 1
        page = post(running, "faults", switch=name, on="false").text
        assert running.faults() == []
        assert 'aria-checked="true"' not in page
    finally:
        requests.delete(running.ready["faults"], timeout=20)


def test_a_switch_makes_the_receiver_fail_and_the_page_counts(running: Stage):
    post(running, "faults", switch="webhook", on="true")
    try:
        publish_test(running, "released")
        until(lambda: running.faults()[0]["hits"] >= 2, 20, lambda: f"{running.faults()}")
        hits = running.faults()[0]["hits"]
        assert any(
            f"{count} times" in read_part(get(running).text, "strikes") for count in range(hits, hits + 9)
        )
    finally:
        post(running, "faults", switch="webhook", on="false")


def test_the_webhook_switch_spares_the_requests_to_azure(running: Stage):
    [webhook] = [one for one in SWITCHES if one.name == "webhook"]
    match = re.compile(webhook.source["match"], re.IGNORECASE).match
    spared = ["/subscriptions/s/resourceGroups/g", "/emails:send", "/inference/e/score", "/batch/e/jobs"]
    spared += ["/workspace-2/inference/e/score", "/history/v1.0/subscriptions/s/x"]
    assert [path for path in spared if match(f"POST {path}")] == []
    assert all(match(f"POST {path}") for path in ("/workflows/sandbox/x", "/TEAM_URL", "/services/T/B/x"))


def test_a_fault_from_elsewhere_is_listed_and_can_be_removed(running: Stage):
    running.fault(match="GET /<i>", drop=True)
    [fault] = running.faults()
    page = get(running).text
    assert "GET /&lt;i&gt;" in page
    assert "0 times" in read_part(page, "strikes")
    post(running, "faults", remove=str(fault["id"]))
    assert running.faults() == []


def test_sliders_set_the_load_of_an_endpoint_and_of_a_deployment(running: Stage):
    post(running, "events", type="model.registered", name="churn-load", tags="stage=production")
    event = read_latest(running)["event"]
    assert running.settled(event_id=event["id"])[0]["status"] == "done"
    page = get(running).text
    [deployment] = set(re.findall(r'name="deployment" value="([^"]*)"', page))
    assert f'aria-label="Traffic now: {deployment} 100 %"' in page
    workspace = running.ready["workspace"]
    aim = {"endpoint": "churn-load", "workspace": workspace}
    try:
        post(running, "load", **aim, rps="20", error_rate="5", latency_ms="-10")
        post(running, "load", **aim, deployment=deployment, rps="3", error_rate="-1", latency_ms="40")
        assert read_load(running) == [
            {**aim, "rps": 20.0, "error_rate": 0.05},
            {**aim, "deployment": deployment, "rps": 3.0, "latency_ms": 40.0},
        ]
        words = read_part(get(running).text, "load")
        assert "Requests a second 20/s Errors 5 % Latency the model’s" in words
        assert "Requests a second 3/s Errors the model’s Latency 40 ms" in words
        post(running, "load", **aim, deployment=deployment, rps="-1")
        assert [one.get("deployment") for one in read_load(running)] == [None]
    finally:
        requests.delete(running.ready["load"], timeout=20)


def read_load(running: Stage) -> list[Any]:
    return requests.get(running.ready["load"], timeout=20).json()


@pytest.mark.parametrize(
    ("form", "fields", "says"),
    [
        ("load", {"endpoint": "none", "rps": "1"}, "there is no endpoint 'none'"),
        ("load", {"endpoint": "none", "rps": "many"}, "'rps' is 'many'"),
        ("faults", {"switch": "none", "on": "true"}, "there is no switch 'none'"),
        ("tests", {"test": "tests[0] another"}, "no test 'another'"),
        ("host", {"verb": "explode"}, "'explode'"),
    ],
)
def test_what_cannot_be_done_is_said(running: Stage, form: str, fields: dict[str, str], says: str):
    page = post(running, form, **fields)
    assert page.status_code == 400
    assert says in unescape(page.text)


def test_the_app_is_killed_and_started_and_the_page_works_meanwhile(running: Stage):
    page = post(running, "host", verb="kill")
    assert page.status_code == 200
    assert running.host()["state"] == "stopped"
    try:
        assert 'class="badge failed">stopped' in page.text
        assert post(running, "faults", switch="quota", on="true").text.count('aria-checked="true"') == 1
        post(running, "faults", switch="quota", on="false")
        plain = requests.get(running.ready["console"], timeout=20)
        assert (plain.status_code, plain.text) == (503, "Function host is not running.")
        assert "on its way to ModelRegistered: attempt" in read_part(
            publish_test(running, "old").text, "events"
        )
    finally:
        page = post(running, "host", verb="start")
    assert running.host()["state"] == "running"
    assert 'class="badge done">running' in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Host": "elsewhere.example"},
    ],
)
def test_a_form_from_another_site_changes_nothing(running: Stage, headers: dict[str, str]):
    answer = post(running, "faults", headers, switch="quota", on="true")
    assert answer.status_code == 403
    assert running.faults() == []


def test_another_name_of_this_machine_reads_nothing(running: Stage):
    for path in ("", "sandbox/live", "sandbox/static/sandbox.css"):
        assert get(running, path, Host="elsewhere.example").status_code == 403
        assert get(running, path, Host="localhost:1").status_code == 200


def test_every_answer_has_the_strict_policy(running: Stage):
    for path in ("", "sandbox/live", "sandbox/static/sandbox.js", "sandbox/static/none"):
        policy = get(running, path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    page = get(running).text
    assert re.findall(r"<style|style=|<script>|\son\w+=", page) == []


def test_static_files_are_those_of_their_folder(running: Stage):
    assert get(running, "sandbox/static/..%2Ftemplates%2Fpage.html").status_code == 404
    assert get(running, "sandbox/static/none.css").status_code == 404


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain", [TextPart("plain")]),
        (
            "see https://a.example/x. Then",
            [TextPart("see "), TextPart("https://a.example/x", "https://a.example/x"), TextPart(". Then")],
        ),
        ("[Studio](https://a.example/y)!", [TextPart("Studio", "https://a.example/y"), TextPart("!")]),
        ("[x](javascript:alert(1))", [TextPart("[x](javascript:alert(1))")]),
        ("a < b > c", [TextPart("a < b > c")]),
        ("<b>not a document</b>", [TextPart("<b>not a document</b>")]),
    ],
)
def test_links_in_a_message_are_pieces_of_their_own(text: str, parts: list[TextPart]):
    assert split_message(text) == parts


def test_html_mail_is_its_text():
    html = (
        "<!doctype html><html><head><title>t</title><style>p{}</style></head><body><p>One &amp; two</p>"
        "<script>alert(1)</script><p>See <a href='https://a.example'>this</a></p></body></html>"
    )
    assert extract_text(html) == "One & two\nSee this (https://a.example)"
    assert [one.address for one in split_message(html)] == ["", "https://a.example", ""]


def test_a_mail_is_from_the_connection_with_its_sender():
    senders = [
        Sender("one", "smtp", frozenset(), frozenset(["one@x.example"])),
        Sender("two", "smtp", frozenset(), frozenset(["two@x.example"])),
        Sender("three", "email", frozenset(), frozenset(["two@x.example"])),
    ]
    mail = {"via": "smtp", "from": "two@x.example", "to": ["a@x.example"], "subject": "s", "text": "t"}
    other = {**mail, "from": "nobody@x.example"}
    found = list_chat(
        [one | {"body": "", "received": "2030-01-01T00:00:00"} for one in (mail, other)], senders
    )
    assert [one.sender for one in found] == ["two", "nobody@x.example"]


def test_a_forwarded_event_is_from_the_connection_to_its_stream(tmp_path: Path):
    host = "sbns-ml.servicebus.windows.net"
    rules = f"""connections:
  bus: {{type: service_bus, namespace: {{setting: HOST}}, queue: ML-Events}}
  other: {{type: service_bus, namespace: {host}, topic: other}}
"""
    (tmp_path / "rules.yaml").write_text(rules)
    message: dict[str, Any] = {
        "via": "service_bus",
        "from": "",
        "to": [f"{host}/ml-events"],
        "subject": "",
        "text": "",
    }
    message |= {"body": {"run": "r1"}, "received": "2030-01-01T00:00:00"}
    [found] = list_chat([message], read_senders(tmp_path / "rules.yaml", {"HOST": host}))
    assert (found.sender, found.via, found.parts[0].text) == ("bus", "service bus", '{"run": "r1"}')
