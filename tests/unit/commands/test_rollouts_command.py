"""`rollouts` names what runs in an app, from the app's own answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from mlevents.__main__ import commands
from tests.unit.stand_ins import Answer, Request, Server


def response(status: str, *steps: tuple[str, str]) -> dict[str, Any]:
    lines = [{"id": uses, "uses": uses, "status": state, "detail": "10 %"} for uses, state in steps]
    return {"id": "rule.1", "status": status, "event": {"subject": "models/net:9"}, "steps": lines}


DEPLOYING = response("running", ("deploy_model", "running"), ("notify", "waiting"))


@contextmanager
def app(document: Any) -> Iterator[Server]:
    def answer(request: Request) -> Answer:
        return Answer(body=document) if request.headers["x-functions-key"] == "k" else Answer(401)

    with Server(answer, None).serving() as server:
        yield server


def asked(server: Server, *more: str, key: str = "k") -> tuple[int, str]:
    result = CliRunner().invoke(
        commands(), ["rollouts", "--to", server.url, *more], env={"MLEVENTS_FUNCTION_KEY": key}
    )
    return result.exit_code, result.output


@pytest.mark.parametrize("whole", [[DEPLOYING], {"responses": [DEPLOYING], "continuation": None}])
def test_a_rollout_that_runs_is_named(whole: Any) -> None:
    with app(whole) as server:
        code, said = asked(server)
        assert (code, "rule.1: models/net:9: 10 %" in said) == (1, True)
        code, said = asked(server, "--json")
        assert (code, json.loads(said)["rollouts"][0]["step"]) == (1, "deploy_model")
        assert [request.path for request in server.requests] == ["/api/responses"] * 2


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
    with app([other]) as server:
        assert asked(server) == (0, "")


def test_an_answer_that_is_none_is_no_good_news() -> None:
    with app([]) as server:
        code, said = asked(server, key="wrong")
        assert (code, "MLEVENTS_FUNCTION_KEY" in said) == (2, True)
    assert asked(server)[0] == 2
