"""What operator commands read and print, without an app."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from mlevents.commands.live_feed import FeedSource
from mlevents.commands.operator.app_feed import AppSource, ResponseSource
from mlevents.commands.operator.response_list import (
    ResponseFilters,
    find_response_id,
    is_short_for,
    read_moment,
)
from mlevents.commands.operator.show import describe_check, describe_response
from mlevents.commands.option_groups import expand_options
from mlevents.services.app_client import AppAccess, AppClient, AppRefusedError, NoAnswerError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
IDS = ("deploy.0123456789abcdef0123", "deploy.0123ffffffffffff4567", "retrain.aaaa456789abcdef9999")


def response(id: str, status: str = "done", created: str = "2026-03-02T11:00:00Z") -> dict:
    event = {"id": id, "type": "model.registered", "subject": "models/net:3", "time": created}
    return {
        "id": id,
        "rule": id.partition(".")[0],
        "event": event,
        "status": status,
        "because": None,
        "steps": [],
        "created": created,
    }


class FakeApp(AppClient):
    """An app with these responses, in pages of two; `queries` are those that it was asked."""

    def __init__(self, *responses: dict) -> None:
        super().__init__(AppAccess("http://127.0.0.1:9"))
        self.responses = list(responses)
        self.queries: list[dict] = []
        self.error: Exception | None = None

    def read(self, path, query=None):
        if self.error:
            raise self.error
        if path != "responses":
            found = [one for one in self.responses if path == f"responses/{one['id']}"]
            if not found:
                raise AppRefusedError(404, "no response", {})
            return found[0]
        self.queries.append({name: value for name, value in query.items() if value is not None})
        begin = int(query["continuation"] or 0)
        wanted = [one for one in self.responses if query.get("status") in (None, one["status"])]
        wanted = [one for one in wanted if one["created"] >= query.get("since", "")]
        following = str(begin + 2) if begin + 2 < len(wanted) else None
        return {"responses": wanted[begin : begin + 2], "continuation": following}


def read_now(source: FeedSource) -> tuple:
    found = source.read()
    assert found is not None
    return found.responses


@pytest.mark.parametrize("text", ["deploy.0123456789abcdef0123", "retrain", "9999", "aaaa", "4567", "01234"])
def test_a_unique_end_or_beginning_is_enough(text):
    found = find_response_id(FakeApp(*map(response, IDS)), text)
    assert is_short_for(text, found)


def test_a_text_that_is_not_unique_names_the_candidates(capsys):
    with pytest.raises(typer.Exit) as ended:
        find_response_id(FakeApp(*map(response, IDS)), "deploy")
    said = capsys.readouterr().err
    assert ended.value.exit_code == 2
    assert all((one in said) == one.startswith("deploy") for one in IDS)


@pytest.mark.parametrize("text", ["nothing", "56789", ""])
def test_a_text_that_names_nothing_is_an_error(capsys, text):
    with pytest.raises(typer.Exit) as ended:
        find_response_id(FakeApp(*map(response, IDS)), text)
    assert ended.value.exit_code == 1
    assert f"'{text}'" in capsys.readouterr().err


def test_a_complete_id_is_read_alone():
    app = FakeApp(*map(response, IDS))
    assert find_response_id(app, IDS[2]) == IDS[2]
    assert app.queries == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("12h", "2026-03-02T00:00:00+00:00"),
        ("1d", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00+00:00"),
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
    ],
)
def test_a_time_is_a_duration_or_a_date(text, moment):
    assert read_moment("--since", text, NOW).isoformat() == moment


@pytest.mark.parametrize("text", ["yesterday", "12", "999999999d", ""])
def test_another_time_is_refused(capsys, text):
    with pytest.raises(typer.Exit):
        read_moment("--since", text, NOW)
    assert "--since" in capsys.readouterr().err


def test_filters_are_the_parameters_of_the_api():
    filters = ResponseFilters(status="failed", since="12h", rule="deploy")
    assert filters.to_query(NOW) == {"status": "failed", "since": "2026-03-02T00:00:00Z", "rule": "deploy"}


def test_the_feed_begins_with_what_runs_and_goes_on_with_what_is_new():
    early = "2026-03-02T09:00:00Z"
    app = FakeApp(response(IDS[0], "running", early), response(IDS[1], "done", early))
    source = AppSource(app, {}, NOW)
    assert [one["id"] for one in read_now(source)] == [IDS[0]]
    app.responses = [response(IDS[0], "done", early), response(IDS[2], "failed", "2026-03-02T12:00:01Z")]
    assert [one["id"] for one in read_now(source)] == [IDS[2], IDS[0]]


def test_a_feed_of_one_status_shows_what_becomes_of_it():
    app = FakeApp(response(IDS[0], "running"), response(IDS[1], "done"))
    source = AppSource(app, {"status": "running", "since": "2026-03-02T00:00:00Z"}, NOW)
    assert [one["id"] for one in read_now(source)] == [IDS[0]]
    app.responses = [response(IDS[0], "failed"), response(IDS[1], "done")]
    assert [(one["id"], one["status"]) for one in read_now(source)] == [(IDS[0], "failed")]


@pytest.mark.parametrize("error", [NoAnswerError("gone"), AppRefusedError(503, "starting", {})])
def test_the_feed_waits_for_an_app_that_restarts(error):
    app = FakeApp(response(IDS[0]))
    source = ResponseSource(app, IDS[0])
    app.error = error
    assert source.read() is None
    assert not source.has_ended()
    app.error = None
    assert read_now(source)[0]["id"] == IDS[0]
    assert source.has_ended()


def test_the_feed_ends_where_the_app_refuses():
    app = FakeApp()
    app.error = AppRefusedError(401, "no key", {})
    with pytest.raises(AppRefusedError):
        AppSource(app, {}, NOW).read()


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (
            {"metric": "error_rate", "verdict": "breached", "value": 0.071, "max": 0.05, "stable": 0.01},
            "error_rate: 0.071 (limit: at most 0.05, stable has 0.01): breached",
        ),
        (
            {"metric": "requests", "verdict": "healthy", "value": 12, "min": 10},
            "requests: 12 (limit: at least 10): healthy",
        ),
        ({"metric": "latency", "verdict": "unclear", "value": None}, "latency: no value: unclear"),
    ],
)
def test_a_check_has_its_value_against_its_limit(check, line):
    assert describe_check(check) == line


def test_a_response_is_shown_with_everything():
    found = response(IDS[0], "failed") | {
        "because": "step 'deploy': no cores",
        "duration": 12.34,
        "attempt": 2,
        "explanation": [
            {"depth": 0, "name": "any of these", "holds": True, "wanted": None, "found": None},
            {"depth": 1, "name": "stage", "holds": True, "wanted": "prod", "found": "prod"},
        ],
        "log": [
            {
                "time": "2026-03-02T11:00:01Z",
                "verb": "cancel",
                "by": "Ada",
                "reason": "wrong",
                "effect": "stopped",
            }
        ],
        "links": [{"kind": "model", "name": "net:3", "url": "https://ml.azure.com/model/net:3"}],
    }
    found["steps"] = [
        {
            "id": "deploy",
            "uses": "deploy_model",
            "status": "failed",
            "detail": "no cores",
            "log": ["container started"],
            "phases": [
                {
                    "phase": "10 %",
                    "seconds": 90,
                    "detail": "holds",
                    "checks": [{"metric": "requests", "verdict": "healthy", "value": 12, "min": 10}],
                }
            ],
        }
    ]
    lines = [
        "".join(part if isinstance(part, str) else part[0] for part in line)
        for line in describe_response(found)
    ]
    assert lines[1] == "  ✗ failed: step 'deploy'"
    assert lines.count("  ✗ deploy (deploy_model) failed: no cores") == 1
    for part in ("took 12.3 s, attempt 2", "10 %, 90 s: holds", "✓ requests: 12", "container started"):
        assert any(part in line for line in lines), part
    for part in ("  ✓ any of these", '    ✓ stage equals "prod": "prod"', "cancel by Ada: wrong (stopped)"):
        assert any(line == part or part in line for line in lines), part
    assert any(line.endswith("model net:3: https://ml.azure.com/model/net:3") for line in lines)


def test_a_group_of_options_becomes_options():
    @dataclass(frozen=True)
    class Colours:
        front: Annotated[str, typer.Option(help="Front.")] = "red"
        back: Annotated[str, typer.Option(envvar="BACK")] = ""

    seen: list[object] = []

    @expand_options
    def paint(thing: Annotated[str, typer.Argument()], colours: Colours, thick: bool = False) -> None:
        """Paint it."""
        seen.extend([thing, colours, thick])

    app = typer.Typer()
    app.command()(paint)
    done = CliRunner().invoke(app, ["door", "--thick", "--front", "blue"], env={"BACK": "white"})
    assert done.exit_code == 0, done.output
    assert seen == ["door", Colours("blue", "white"), True]
    assert "Paint it." in CliRunner().invoke(app, ["--help"]).output
