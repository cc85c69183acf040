"""`explain` for people: conditions, gates, steps with their values, and delivery."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.commands.event_file import read_events
from mlevents.events import parse
from mlevents.matching.match import plan
from mlevents.rules.file import load_rules
from mlevents.settings import Settings
from tests.unit.matching.where_samples import wire_events

ROOT = Path(__file__).resolve().parents[3]
SECRET = "json://never-shown"
RULES = """\
version: 1
endpoints: [fraud-*, blue-*]
connections: {team: {type: apprise, url: {setting: HOOK}}}
rules:
  - id: deploy
    event: model.registered
    max_age: 24h
    dedupe: "${model.name}"
    where: {model: {name: {prefix: fraud-}, tags: {accuracy: {gte: 0.9}}}}
    do:
      - id: out
        uses: deploy_model
        with: {endpoint: "${model.tags.endpoint | default(model.name)}", template: small.yaml}
      - uses: notify
        if: "${model.version == '8'}"
        with:
          to: team
          subject: "${model.name} is out"
          text: "at ${steps.out.endpoint}, by ${model.tags.owner}"
  - id: late
    event: "*"
    mode: shadow
    where: {any: [{model: {version: "9"}}, {run: {status: failed}}]}
    do: [{uses: notify, with: {to: team, template: run-failed}}]
"""
TEMPLATE = (
    "name: x\nendpoint_name: y\nmodel: azureml:m:1\ninstance_type: Standard_DS3_v2\ninstance_count: 1\n"
)


def registered(name: str = "fraud-net", **tags: str) -> dict[str, object]:
    return {
        "id": "e1",
        "topic": "/t",
        "subject": f"models/{name}:8",
        "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
        "eventTime": "2030-01-01T00:00:00Z",
        "data": {"modelName": name, "modelVersion": "8", "modelTags": tags},
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a folder that holds `rules.yaml`."""
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "small.yaml").write_text(TEMPLATE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)

    def run(*arguments: str, given: str = "") -> Result:
        return CliRunner(env={"HOOK": SECRET}).invoke(
            build_app(), arguments, input=given, catch_exceptions=False
        )

    return run


def shown(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_rule_that_matches_is_told_with_its_gates_and_steps(run: Callable[..., Result]):
    event = json.dumps(registered(accuracy="0.95", owner="me"))
    assert shown(run("explain", "-", "--at", "2030-01-01T03:00:00Z", given=event)) == [
        "model.registered  models/fraud-net:8  e1",
        "  ✓ deploy",
        "      model",
        '        ✓ name prefix "fraud-": "fraud-net"',
        "        tags",
        '          ✓ accuracy gte 0.9: "0.95"',
        "      ✓ max_age 24 hours: the event is 3 hours old",
        '      ✓ dedupe "fraud-net": one response for this value',
        "      1. out: deploy_model",
        '         endpoint: "fraud-net"',
        '         template: "small.yaml"',
        '         endpoints: ["fraud-*", "blue-*"]',
        "      2. notify",
        "         if: true",
        '         to: "team"',
        '         subject: "fraud-net is out"',
        '         text: "at ${steps.out.endpoint}, by ${model.tags.owner}" (waits for out)',
        "  ✗ late (shadow): where.any: "
        'wanted {"any": [{"model": {"version": "9"}}, {"run": {"status": "failed"}}]}, '
        'found {"model.version": "8", "run.status": null}',
        "      ✗ any of these",
        "        model",
        '          ✗ version equals "9": "8"',
        "        run",
        '          ✗ status equals "failed": nothing',
    ]


def test_an_endpoint_that_the_event_may_not_name_is_told(run: Callable[..., Result]):
    event = json.dumps(registered(accuracy="0.95", owner="me", endpoint="Payments_Prod"))
    lines = shown(run("explain", "-", "--at", "2030-01-01T03:00:00Z", given=event))
    [refused] = [line for line in lines if "refused" in line]
    assert refused.startswith("      ✗ refused: endpoints: the event names the endpoint 'payments-prod'")
    [told] = json.loads(run("explain", "-", "--json", given=event).stdout)["events"]
    rule = told["rules"][0]
    assert rule["matches"] is True
    assert rule["refused"] == {"path": "endpoints", "wanted": ["fraud-*", "blue-*"], "found": "payments-prod"}


def test_what_stops_a_response_is_told(run: Callable[..., Result]):
    event = registered(accuracy="0.95", **{"mlevents.depth": "3"})
    lines = shown(run("explain", "-", "--at", "2030-01-03T00:00:00Z", given=json.dumps(event)))
    assert "      ✗ depth 4: at most 3 responses may cause one another" in lines
    assert "      ✗ max_age: the event is 2 days old, more than 24 hours" in lines
    failed = {
        **registered(),
        "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
        "data": {"runId": "r", "runStatus": "Failed"},
    }
    assert "      ✗ mode shadow: the response is recorded, but no step runs" in shown(
        run("explain", "-", given=json.dumps(failed))
    )


def test_a_value_that_is_missing_is_told_in_its_step(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules.yaml").write_text(RULES.replace("${steps.out.endpoint}", "x"))
    text = run("explain", "-", given=json.dumps(registered(accuracy="0.95"))).stdout
    assert "       ✗ text: " in text
    assert "model.tags.owner is missing in this event" in text
    assert "the response fails before its first step" in text


def test_no_value_of_an_app_setting_is_shown(run: Callable[..., Result]):
    event = json.dumps(registered(accuracy="0.95"))
    assert SECRET not in run("explain", "-", given=event).output
    assert SECRET not in run("explain", "-", "--json", given=event).output


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            registered("other"),
            "! Event Grid would not deliver it: the filter of ModelRegistered requires a subject",
        ),
        (registered() | {"eventType": "Contoso.Sale"}, "no function has the event type 'Contoso.Sale'"),
        (
            registered() | {"eventType": "Microsoft.MachineLearningServices.ModelDeployed", "data": {}},
            "no rule needs events of ModelDeployed, so the function has no subscription",
        ),
    ],
)
def test_it_is_told_whose_filter_holds_an_event_back(
    run: Callable[..., Result], tmp_path: Path, event: dict[str, Any], told: str
):
    (tmp_path / "rules.yaml").write_text(RULES[: RULES.index("  - id: late")])
    event["subject"] = event["subject"].replace("models/fraud", "endpoints/fraud")
    assert told in run("explain", "-", given=json.dumps(event)).stdout


def test_a_bad_time_is_wrong_usage(run: Callable[..., Result]):
    result = run("explain", "-", "--at", "noon", given="{}")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: 'noon' is not a valid time: write one such as 2030-01-31T12:00:00Z\n",
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n  \n"])
def test_events_may_stand_in_lines_of_their_own(run: Callable[..., Result], end: str):
    lines = [json.dumps(registered("a")), json.dumps([registered("b"), registered("c")]), "{}", ""]
    document = json.loads(run("explain", "-", "--json", given=end.join(lines)).stdout)
    assert [one["subject"] for one in document["events"]] == ["models/a:8", "models/b:8", "models/c:8", None]


def test_a_line_that_is_no_json_is_told_with_its_place(run: Callable[..., Result]):
    result = run("explain", "-", given='{"id": 1}\n\n{"id": }\n')
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: -:3:8: is not valid JSON: Expecting value: name a file of events\n"


def test_a_dead_letter_blob_is_read(run: Callable[..., Result]):
    document = json.loads(run("explain", str(ROOT / "tests/data/events/dead-letter.json"), "--json").stdout)
    assert [one["id"] for one in document["events"]] == ["evt-dead-1", "evt-dead-2", None]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=wire_events())
def test_what_is_explained_is_what_is_planned(run: Callable[..., Result], sent: tuple[str, Any]):
    [told] = json.loads(run("explain", "-", "--json", given=json.dumps(sent[1])).stdout)["events"]
    planned = plan(load_rules(Path("rules.yaml"), Settings(environment={"HOOK": SECRET})), parse(sent[1]))
    assert [one["matches"] for one in told["rules"]] == [one.matches for one in planned]
    shown = run("explain", "-", given=json.dumps(sent[1])).stdout
    for verdict in planned:
        assert f"  {'✓' if verdict.matches else '✗'} {verdict.rule.id}" in shown


def on_a_terminal(folder: Path, **environment: str) -> str:
    """What `filters` prints on a terminal."""
    (folder / "rules.yaml").write_text(RULES)
    (folder / "small.yaml").write_text(TEMPLATE)
    ours, theirs = pty.openpty()
    keep = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
        "HOOK": SECRET,
        **environment,
    }
    subprocess.run(
        [sys.executable, "-m", "mlevents", "filters"],
        cwd=folder,
        env=keep,
        stdout=theirs,
        check=True,
        timeout=60,
    )
    os.close(theirs)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    return said


def test_colour_is_for_terminals_and_never_where_it_is_not_wanted(run: Callable[..., Result], tmp_path: Path):
    assert "\x1b[" in on_a_terminal(tmp_path)
    assert "\x1b[" not in on_a_terminal(tmp_path, NO_COLOR="1")
    assert "\x1b[" not in run("filters").stdout


def test_a_file_that_is_read_keeps_its_order(tmp_path: Path):
    (tmp_path / "events.jsonl").write_text('{"id": 1}\n[{"id": 2}, {"id": 3}]\n')
    assert [event["id"] for event in read_events(str(tmp_path / "events.jsonl"))] == [1, 2, 3]


def test_the_rules_and_several_files_of_events_may_be_arguments(run: Callable[..., Result], tmp_path: Path):
    own = tmp_path / "own" / "rules"
    own.mkdir(parents=True)
    (own / "team.yaml").write_text(RULES)
    (tmp_path / "small.yaml").rename(tmp_path / "own" / "small.yaml")
    (tmp_path / "rules.yaml").unlink()
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(registered(name, accuracy="0.95")))
    document = json.loads(run("explain", "a.json", "b.json", "own/rules", "--json").stdout)
    assert [one["subject"] for one in document["events"]] == ["models/a:8", "models/b:8"]
    assert document["events"][0]["rules"]
    result = run("explain", "own/rules")
    assert (result.exit_code, "name the events" in result.stderr) == (2, True)


def test_check_names_the_folder_that_it_found(run: Callable[..., Result], tmp_path: Path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules.yaml").rename(tmp_path / "rules" / "team.yaml")
    assert shown(run("check"))[-1].startswith("rules: ")
