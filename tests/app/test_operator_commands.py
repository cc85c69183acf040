"""The commands of operators against a running app, as people type them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.services import azure_credential
from sandbox.sandbox_process import Stage

Run = Callable[..., Result]


@pytest.fixture
def run(shipped: Stage, tmp_path: Path) -> Run:
    """Runs a command with the ready file of the sandbox."""
    ready = tmp_path / "ready.json"
    ready.write_text(json.dumps(shipped.ready))

    def call(*words: str, **environment: str) -> Result:
        arguments = [*words, "--ready-file", str(ready)]
        return CliRunner().invoke(build_app(), arguments, env={"COLUMNS": "80", **environment})

    return call


def read_json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def done(shipped: Stage) -> dict[str, Any]:
    event = shipped.drift_detected("operator", 0.7)
    shipped.deliver("DatasetDriftDetected", event)
    [one] = shipped.settled(event_id=event["id"])
    return one


def test_responses_are_listed_by_filters(run: Run, done):
    words = ("responses", "--status", "done", "--since", "1h", "--rule", done["rule"])
    listed = read_json(run(*words, "--subject", done["event"]["subject"], "--workspace", "prod", "--json"))
    assert listed == {"responses": [done], "complete": True}
    assert run("responses", "--until", "1h").stdout == "No response matches.\n"
    text = run(*words).stdout
    assert done["id"][-8:] in text
    assert done["rule"] in text


def test_a_limit_says_that_there_are_more(run: Run, shipped: Stage, done):
    shipped.deliver("RunStatusChanged", shipped.run_status_changed("operator-run", "Failed"))
    listed = read_json(run("responses", "--limit", "1", "--json"))
    assert len(listed["responses"]) == 1
    assert listed["complete"] is False
    assert "More than 1:" in run("responses", "--limit", "1").stdout


def test_an_unknown_status_is_refused_by_the_app(run: Run):
    refused = run("responses", "--status", "finished")
    assert refused.exit_code == 1
    assert "status is 'finished'" in refused.stderr


def test_one_response_is_shown_by_the_end_of_its_id(run: Run, done):
    found = read_json(run("show", done["id"][-12:], "--json"))
    assert found["id"] == done["id"]
    text = run("show", done["id"][-12:]).stdout
    assert text.startswith(done["id"])
    assert "Why the rule matched" in text
    assert "value gte 0.3: 0.7" in text


def test_watch_ends_with_the_response(run: Run, shipped: Stage, done):
    watched = run("watch", done["id"])
    assert watched.exit_code == 0
    assert f"✓ {done['rule']}: done" in watched.stdout
    assert read_json(run("watch", done["id"], "--json"))["status"] == "done"
    shipped.deliver("ModelRegistered", {"id": "operator-rubbish", "eventType": 7})
    [bad] = shipped.settled(event_id="operator-rubbish")
    assert run("watch", bad["id"]).exit_code == 1


def test_an_app_is_found_by_its_address(shipped: Stage, done):
    words = ["responses", "--url", shipped.ready["functions"], "--json"]
    result = CliRunner().invoke(build_app(), words, env={"MLEVENTS_APP_KEY": "not-needed-here"})
    assert done["id"] in [one["id"] for one in read_json(result)["responses"]]


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (["--url", "http://127.0.0.1:9"], "nothing listens", 1),
        (["--url", "localhost:7071"], "not an address", 2),
        (["--url", "http://127.0.0.1:9", "--app", "x"], "more than once", 2),
        (["--app", "mlevents"], "--subscription", 2),
    ],
)
def test_an_app_that_cannot_be_found_is_an_error(words, says, code):
    result = CliRunner().invoke(build_app(), ["responses", *words], env={"AZURE_SUBSCRIPTION_ID": ""})
    assert (result.exit_code, says in result.stderr) == (code, True), result.output


def test_a_deployed_app_is_found_in_azure_with_its_key(shipped: Stage, done, monkeypatch: pytest.MonkeyPatch):
    for name, value in shipped.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    azure_credential._credential.cache_clear()
    words = ["responses", "--app", "MLEVENTS-sandbox", "--json"]
    subscription = {"AZURE_SUBSCRIPTION_ID": shipped.workspace.split("/")[2]}
    result = CliRunner().invoke(build_app(), words, env=subscription)
    assert done["id"] in [one["id"] for one in read_json(result)["responses"]]
    wrong = CliRunner().invoke(build_app(), words, env=subscription | {"MLEVENTS_APP_KEY": "not-the-key"})
    assert (wrong.exit_code, "not-the-key" in wrong.output) == (1, False)
    assert "(401)" in wrong.stderr
    other = CliRunner().invoke(build_app(), ["responses", "--app", "mlevents-sandbx"], env=subscription)
    assert (other.exit_code, "did you mean 'mlevents-sandbox'" in other.stderr) == (2, True)
    azure_credential._credential.cache_clear()
