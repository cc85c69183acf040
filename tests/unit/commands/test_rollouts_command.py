"""`rollouts` names what runs in an app, from the app's own answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from mlevents.__main__ import build_app
from tests.unit.stand_ins import Answer, Request, Server


def response(status: str, *steps: tuple[str, str]) -> dict[str, Any]:
    lines = [{"id": uses, "uses": uses, "status": state, "detail": "10 %"} for uses, state in steps]
    return {"id": "rule.1", "status": status, "event": {"subject": "models/net:9"}, "steps": lines}


DEPLOYING = response("running", ("deploy_model", "running"), ("notify", "waiting"))


def page(status: str, *responses: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    return {"responses": [one for one in responses if one["status"] == status], "continuation": following}


@contextmanager
def app(*responses: dict[str, Any]) -> Iterator[Server]:
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

    with Server(answer, None).serving() as server:
        yield server


def asked(server: Server, *more: str, key: str = "k") -> tuple[int, str]:
    result = CliRunner().invoke(
        build_app(), ["rollouts", "--to", server.url, *more], env={"MLEVENTS_KEY": key}
    )
    return result.exit_code, result.output


@pytest.mark.parametrize("status", ["running", "waiting"])
def test_a_rollout_that_runs_is_named(status: str) -> None:
    with app(DEPLOYING | {"status": status}) as server:
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
def test_nothing_else_keeps_a_release(other: dict[str, Any]) -> None:
    with app(other) as server:
        assert asked(server) == (0, "")


def test_an_answer_that_is_none_is_no_good_news() -> None:
    with app() as server:
        code, said = asked(server, key="wrong")
        assert (code, "MLEVENTS_KEY" in said) == (2, True)
    assert asked(server)[0] == 2


@pytest.mark.parametrize("body", [[], {"responses": None}, {}])
def test_an_answer_that_is_no_list_of_responses_is_no_good_news(body: Any) -> None:
    with Server(lambda _: Answer(body=body), None).serving() as server:
        assert asked(server)[0] == 2
