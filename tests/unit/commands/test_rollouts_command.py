"""`rollouts` names what runs in an app, from the app's own answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from mlevents.services.app_client import AppAccess
from mlevents.services.function_app import FunctionAppReader
from tests.unit.stand_ins import Answer, Authority, Request, Server


@pytest.fixture(autouse=True)
def trust(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is sent over https only."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted.ca))


def response(status: str, *steps: tuple[str, str]) -> dict[str, Any]:
    lines = [{"id": uses, "uses": uses, "status": state, "detail": "10 %"} for uses, state in steps]
    return {"id": "rule.1", "status": status, "event": {"subject": "models/net:9"}, "steps": lines}


DEPLOYING = response("running", ("deploy_model", "running"), ("notify", "waiting"))


def page(status: str, *responses: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"responses": [one for one in responses if one["status"] == status], "continuation": following}


@contextmanager
def app(trusted: Authority, *responses: dict[str, Any]) -> Iterator[Server]:
    """An app whose API has two pages of each status; what is asked for is on the second."""

    def answer(request: Request) -> Answer:
        if request.headers["x-functions-key"] != "k":
            return Answer(401)
        url = urlsplit(request.path)
        query = parse_qs(url.query)
        assert url.path == "/api/v1/responses"
        (status,) = query["status"]
        if "continuation" not in query:
            return Answer(body=page(status, following="second page"))
        assert query["continuation"] == ["second page"]
        return Answer(body=page(status, *responses))

    with Server(answer, trusted.context).serving() as server:
        yield server


def asked(server: Server, *more: str, **environment: str) -> tuple[int, str]:
    known = environment or {"MLEVENTS_APP_KEY": "k"}
    result = CliRunner().invoke(build_app(), ["rollouts", "--url", server.url, *more], env=known)
    return result.exit_code, result.output


@pytest.mark.parametrize("status", ["running", "waiting"])
def test_a_rollout_that_runs_is_named(trusted: Authority, status: str) -> None:
    with app(trusted, DEPLOYING | {"status": status}) as server:
        code, said = asked(server)
        assert (code, "rule.1: models/net:9: 10 %" in said) == (1, True)
        code, said = asked(server, "--json")
        assert (code, [one["step"] for one in json.loads(said)["rollouts"]]) == (1, ["deploy_model"])
        assert len(server.requests) == 2 * 2 * 2, "two pages of two statuses, by two commands"


@pytest.mark.parametrize(
    "other",
    [
        response("done", ("deploy_model", "done")),
        response("running", ("notify", "running")),
        response("running", ("deploy_model", "done"), ("notify", "running")),
        response("running", ("of_another_release", "running")),
    ],
)
def test_nothing_else_keeps_a_release(trusted: Authority, other: dict[str, Any]) -> None:
    with app(trusted, other) as server:
        assert asked(server) == (0, "")


def test_an_answer_that_is_none_is_no_good_news(trusted: Authority) -> None:
    with app(trusted) as server:
        code, said = asked(server, MLEVENTS_APP_KEY="wrong")
        assert (code, "MLEVENTS_APP_KEY" in said) == (2, True)
    assert asked(server)[0] == 2


def test_the_options_and_the_variable_of_earlier_releases_still_work(trusted: Authority) -> None:
    with app(trusted) as server:
        assert asked(server, MLEVENTS_KEY="k") == (0, "")
        assert asked(server, MLEVENTS_KEY="webhook", MLEVENTS_APP_KEY="k") == (0, "")
        assert asked(server, "--key", "k", MLEVENTS_APP_KEY="other") == (0, "")
        words = ["rollouts", "--to", server.url]
        assert CliRunner().invoke(build_app(), words, env={"MLEVENTS_APP_KEY": "k"}).exit_code == 0


def test_each_key_is_also_read_from_the_local_settings(
    trusted: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def write(**values: str) -> None:
        (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}))

    with app(trusted) as server:
        write(MLEVENTS_APP_KEY="k")
        assert asked(server, MLEVENTS_KEY="webhook") == (0, "")
        write(MLEVENTS_KEY="k")
        assert asked(server, MLEVENTS_APP_KEY="") == (0, "")


@pytest.mark.parametrize(("more", "key"), [(["--key", "k"], "k"), ([], "own")])
def test_the_key_is_used_for_a_deployed_app_too(
    monkeypatch: pytest.MonkeyPatch, more: list[str], key: str
) -> None:
    keys: list[str] = []

    def open_app(_: FunctionAppReader, _name: str, given: str) -> AppAccess:
        keys.append(given)
        return AppAccess("http://127.0.0.1:9")

    monkeypatch.setattr(FunctionAppReader, "open", open_app)
    words = ["rollouts", "--app", "a", "--subscription", "s", *more]
    environment = {"MLEVENTS_APP_KEY": "own", "MLEVENTS_KEY": "webhook"}
    assert CliRunner().invoke(build_app(), words, env=environment).exit_code == 2
    assert keys == [key]


@pytest.mark.parametrize("body", [[], {"responses": None}, {}])
def test_an_answer_that_is_no_list_of_responses_is_no_good_news(body: Any) -> None:
    with Server(lambda _: Answer(body=body), None).serving() as server:
        assert asked(server)[0] == 2
