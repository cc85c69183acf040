"""Before a release the hook names the rollouts that run, by the app's own answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.infra.deployment_project import OUTPUTS, Azure
from tests.unit.stand_ins import Answer, Authority, Request, Server, authority

STEP = {"id": "deploy", "uses": "deploy_model", "status": "running", "detail": "10 %"}
ROLLOUT = {"id": "rule.1", "status": "running", "event": {"subject": "models/net:9"}, "steps": [STEP]}


@contextmanager
def serving(trusted: Authority, *responses: dict[str, Any]) -> Iterator[dict[str, str]]:
    """What the hook knows of an app with these responses, for whoever has its key."""

    def answer(request: Request) -> Answer:
        known = request.headers["x-functions-key"] == "the-key"
        found = responses if "status=running" in request.path else ()
        return Answer(200 if known else 401, {"responses": list(found), "continuation": None})

    with Server(answer, trusted.context).serving() as server:
        yield {"MLEVENTS_URL": server.url, "REQUESTS_CA_BUNDLE": str(trusted.ca)}


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The app's certificate authority."""
    return authority(tmp_path_factory.mktemp("authority"))


def words(azure: Azure) -> str:
    return json.dumps([one["words"] for one in azure.state["calls"]])


def test_a_rollout_that_runs_is_named_and_stops_nothing(azure: Azure, trusted: Authority) -> None:
    with serving(trusted, ROLLOUT) as app:
        done = azure.step("predeploy", **OUTPUTS | app)
    assert done.returncode == 0, done.stderr
    assert "rule.1: models/net:9: 10 %" in done.stdout
    assert "these rollouts continue with the new code" in done.stderr
    assert "the-key" not in words(azure) + done.stdout + done.stderr


def test_without_a_rollout_nothing_is_said(azure: Azure, trusted: Authority) -> None:
    with serving(trusted) as app:
        done = azure.step("predeploy", **OUTPUTS | app)
    assert (done.returncode, "rollouts" in done.stderr) == (0, False)


def test_an_app_that_does_not_answer_stops_no_release(azure: Azure) -> None:
    done = azure.step("predeploy", **OUTPUTS)
    assert done.returncode == 0, done.stderr
    assert "did not list its running rollouts" in done.stderr


def test_a_first_release_asks_nothing(azure: Azure) -> None:
    azure.set(functions=[])
    assert azure.step("predeploy", **OUTPUTS).returncode == 0
    assert azure.calls("functionapp keys list") == []
