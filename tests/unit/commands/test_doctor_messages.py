"""`doctor --send-test`: one message through a connection, as notify sends it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from tests.unit.stand_ins import Answer, Server

FACTORY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/adf"
RULES = f"""\
version: 1
connections:
  team: {{type: apprise, url: {{setting: HOOK}}}}
  raw: {{type: apprise, url: {{setting: HOOK}}}}
  retraining: {{type: data_factory, id: {FACTORY}}}
  catalogue: {{type: http, base: https://catalogue.example.com/}}
  lakehouse: {{type: event_hub, namespace: ehns-ml.servicebus.windows.net, hub: events}}
rules:
  - id: tell
    event: run.completed
    do: [{{uses: notify, with: {{to: [team, raw], template: run-failed}}}}]
  - id: retrain
    event: drift.detected
    do: [{{uses: run_data_factory_pipeline, with: {{connection: retraining, pipeline: p}}}}]
"""


@pytest.fixture
def chat() -> Iterator[Server]:
    """A web hook that refuses what `status` says."""
    with Server(
        lambda request: Answer(400 if "/refused" in request.path else 200, {}), None
    ).serving() as one:
        yield one


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat: Server) -> Callable[..., Result]:
    (tmp_path / "rules.yaml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)

    def run(*words: str, path: str = "hook-s3cr3t") -> Result:
        hook = f"{chat.url.replace('http://', 'json://')}/{path}"
        environment = {"HOOK": hook, "MLEVENTS_PRIVATE_HOSTS": "*"}
        return CliRunner(env=environment).invoke(build_app(), ["doctor", *words], catch_exceptions=False)

    return run


def test_a_message_is_sent_that_says_that_it_is_a_test(run: Callable[..., Result], chat: Server):
    done = run("--send-test", "team", "--send-test", "team", "--send-test", "raw")
    assert done.exit_code == 0, done.output
    assert "✓ test message: 'Test message from mlevents' is sent: notified team (" in done.output
    assert len(chat.requests) == 2, "each connection once"
    text = json.dumps(chat.requests[0].json)
    assert "Test message from mlevents" in text
    assert "This is a test of the connection 'team'" in text
    assert "s3cr3t" not in text + done.output


def test_what_the_receiver_says_is_a_finding_without_the_secret(run: Callable[..., Result]):
    done = run("--send-test", "team", "--json", path="refused-s3cr3t")
    assert done.exit_code == 1
    [found] = json.loads(done.stdout)["findings"]
    assert (found["part"], found["about"], found["ok"]) == ("connection team", "test message", False)
    assert found["said"].startswith("not notified yet: team (JSON (json://) did not accept the message")
    assert found["remedy"].startswith("correct the connection 'team', or its app settings")
    assert "s3cr3t" not in done.output


def test_a_setting_that_is_missing_is_named(run: Callable[..., Result], tmp_path: Path):
    rules = (tmp_path / "rules.yaml").read_text().replace("{setting: HOOK}", "{setting: HOOKS}", 1)
    (tmp_path / "rules.yaml").write_text(rules)
    done = run("--send-test", "team")
    assert done.exit_code == 1
    assert "the app setting 'HOOKS' is not set" in done.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("retraining", "connections of type data_factory send no messages to people"),
        ("lakehouse", "connections of type event_hub send no messages to people"),
        ("catalogue", "connections of type http send no messages to people"),
    ],
)
def test_a_connection_without_messages_is_refused_with_what_tries_it(
    run: Callable[..., Result], chat: Server, name: str, said: str
):
    done = run("--send-test", name, "--json")
    assert done.exit_code == 1
    [found] = json.loads(done.stdout)["findings"]
    assert found["said"] == f"not sent: {said}"
    actions = {"retraining": "run_data_factory_pipeline", "catalogue": "call_http", "lakehouse": "forward"}
    assert f"publish an event for a rule with {actions[name]}" in found["remedy"]
    assert not chat.requests


def test_nothing_is_sent_where_one_connection_is_unknown(run: Callable[..., Result], chat: Server):
    done = run("--send-test", "team", "--send-test", "taem")
    assert done.exit_code == 2
    assert "unknown connection 'taem' (did you mean 'team'?)" in done.stderr
    assert not chat.requests


def test_other_checks_do_not_go_with_it(run: Callable[..., Result], chat: Server):
    assert "leave out --needs and --quota" in run("--send-test", "team", "--needs").stderr
    assert "add --send-test CONNECTION" in run("--url", "http://localhost:1").stderr
    assert not chat.requests
