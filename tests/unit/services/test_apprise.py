"""Messages by the real apprise library to a web server on loopback."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import yaml
from pydantic import ValidationError

from mlevents.errors import PermanentError, TransientError
from mlevents.services.chat import apprise
from mlevents.services.chat.apprise import Apprise
from mlevents.services.connection import Message, Sender, connection
from tests.unit.stand_ins import Answer, Authority, Request, Server, services

MESSAGE = Message("Run r1 failed", "It *failed*.\n<b>Truly</b>", "mlevents-k-chat")
SECRET = "s3cr3tpath"


@pytest.fixture
def answers() -> list[Answer]:
    return []


@pytest.fixture
def server(answers: list[Answer]) -> Iterator[Server]:
    def answer(request: Request) -> Answer:
        return answers.pop(0) if answers else Answer(body={})

    with Server(answer, None).serving() as serving:
        yield serving


def url(server: Server) -> str:
    return server.url.replace("http://", "json://user:s3cr3tword@") + f"/{SECRET}"


def test_the_documented_connection_loads() -> None:
    assert apprise.__doc__
    fields = yaml.safe_load(apprise.__doc__.split("```")[1].removeprefix("yaml"))["connections"][
        "mlops-teams"
    ]
    assert isinstance(connection.find(fields.pop("type")).model_validate(fields), Sender)


def test_a_message_arrives_as_plain_text(server: Server) -> None:
    told = Apprise(url=url(server)).send(MESSAGE, services({}))
    (request,) = server.requests
    assert (request.json["title"], request.json["message"]) == (MESSAGE.subject, MESSAGE.text)
    assert told == "json"


def test_the_url_may_stand_in_a_setting(server: Server) -> None:
    written = Apprise.model_validate({"url": {"setting": "TEAMS_WORKFLOW_URL"}})
    written.send(MESSAGE, services({}, TEAMS_WORKFLOW_URL=url(server)))
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_a_refusal_is_transient_and_shows_no_secret(
    server: Server, answers: list[Answer], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    answers.append(Answer(status, {"error": "no"}))
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(TransientError, match=rf"JSON \(json://\).*\(HTTP {status}\)") as caught,
    ):
        Apprise(url=url(server)).send(MESSAGE, services({}))
    assert "s3cr3t" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


def test_an_absent_server_is_transient(server: Server, answers: list[Answer]) -> None:
    answers.append(Answer(drop=True))
    with pytest.raises(TransientError, match="did not accept the message"):
        Apprise(url=url(server)).send(MESSAGE, services({}))


@pytest.mark.parametrize("written", ["nosuchservice://s3cr3t/x", "slack://s3cr3t", "s3cr3t"])
def test_a_setting_that_apprise_does_not_understand_is_permanent(written: str) -> None:
    connected = Apprise.model_validate({"url": {"setting": "TEAMS_WORKFLOW_URL"}})
    with pytest.raises(PermanentError, match="in the app setting 'TEAMS_WORKFLOW_URL'") as caught:
        connected.send(MESSAGE, services({}, TEAMS_WORKFLOW_URL=written))
    assert "s3cr3t" not in str(caught.value)


def test_a_text_without_schema_is_refused_when_rules_load_and_not_shown() -> None:
    with pytest.raises(ValidationError, match="this is not a URL: begin it with a schema") as caught:
        Apprise(url="s3cr3t")
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in repr(Apprise(url="json://s3cr3t"))


def test_teams_shows_a_tag_and_renders_none_of_it(cloud: ExitStack, trusted: Authority) -> None:
    teams = cloud.enter_context(Server(lambda request: Answer(202), trusted.context).serving())
    written = (
        teams.url.replace("https://", "workflows://")
        + f"/{'a' * 32}/s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t"
    )
    message = Message("[s](https://evil.example)", "[click](https://evil.example) *x* <b>y</b>", "k")
    told = Apprise.model_validate({"url": {"setting": "URL"}}).send(message, services({}, URL=written))
    (request,) = teams.requests
    (card,) = request.json["attachments"]
    shown = json.dumps(card)
    assert "click" in shown
    assert "https://evil" not in shown
    assert not re.search(r"\[(click|s)\]\(", shown)
    assert "s3cr3t" not in told
