"""The connection to GitHub: who it is, what it may reach, and what it says when it may not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from mlevents.errors import ConfigError, PermanentError, RefusedError, TransientError
from mlevents.services.github import app_token
from mlevents.services.github.app_token import forget_tokens
from mlevents.services.github.connection import GitHub
from mlevents.services.services import Services
from sandbox.github.callers import GitHubCallers
from tests.unit.github_world import REPOSITORY, GitHubWorld, github_world
from tests.unit.stand_ins import Authority, services

PEM = "RSA PRIVATE KEY-----"
NO_KEY = f"-----BEGIN {PEM}\nno\n-----END {PEM}"


@pytest.fixture
def world(trusted: Authority) -> Iterator[GitHubWorld]:
    with github_world(trusted) as found:
        yield found


def open_app(world: GitHubWorld, permission: str = "actions") -> Any:
    known = world.connect()
    found = known.connection("app")
    assert isinstance(found, GitHub)
    return found.open(known, {permission: "write"})


def connect_with_key(world: GitHubWorld, key: str) -> Services:
    known = world.connect()
    environment = {**known.settings.environment, "GITHUB_KEY": key}
    known.settings = replace(known.settings, environment=environment)
    return known


def test_a_github_app_asks_for_a_token_of_one_repository_and_permission_and_keeps_it(world: GitHubWorld):
    repository = open_app(world)
    assert (repository.read_visibility(), repository.read_actor()) == ("private", "mlevents-sandbox[bot]")
    assert open_app(world).read_visibility() == "private"
    assert sum("access_tokens" in call for call in world.calls) == 1
    [caller] = [one for one in world.github.callers.tokens.values() if one.is_app]
    assert (caller.repository, caller.permissions) == (REPOSITORY, {"metadata": "read", "actions": "write"})


def test_a_token_that_is_about_to_expire_is_renewed(world: GitHubWorld, monkeypatch: pytest.MonkeyPatch):
    open_app(world).read_visibility()
    monkeypatch.setattr(app_token, "EARLY", timedelta(hours=2))
    open_app(world).read_visibility()
    assert sum("access_tokens" in call for call in world.calls) == 2


def test_a_token_that_was_revoked_early_is_replaced(world: GitHubWorld):
    repository = open_app(world)
    repository.read_visibility()
    for token in [one for one, caller in world.github.callers.tokens.items() if caller.is_app]:
        del world.github.callers.tokens[token]
    with pytest.raises(TransientError, match="401: Bad credentials"):
        repository.read_visibility()
    assert repository.read_visibility() == "private"


def test_a_permission_that_the_app_has_not_is_said(world: GitHubWorld):
    world.github.callers.app_permissions = {"metadata": "read", "actions": "read"}
    with pytest.raises(RefusedError, match="The permissions requested are not granted to this installation"):
        open_app(world).read_visibility()


def test_another_key_or_app_is_refused_and_the_key_is_not_told(world: GitHubWorld):
    key = GitHubCallers().private_key
    known = connect_with_key(world, key)
    found: Any = known.connection("app")
    with pytest.raises(RefusedError, match="A JSON web token could not be decoded") as raised:
        found.open(known, {"actions": "write"}).read_visibility()
    assert key[100:150] not in str(raised.value)
    world.github.callers.app_id = "8"
    forget_tokens()
    with pytest.raises(RefusedError, match="404: Integration not found"):
        open_app(world).read_visibility()


@pytest.mark.parametrize("written", ["no key", NO_KEY])
def test_a_setting_that_is_no_private_key_is_said_but_not_quoted(world: GitHubWorld, written: str):
    known = world.connect()
    known.settings = replace(
        known.settings, environment={**known.settings.environment, "GITHUB_KEY": written}
    )
    found: Any = known.connection("app")
    with pytest.raises(PermanentError, match="'GITHUB_KEY' is not a private key") as raised:
        found.open(known, {}).read_visibility()
    assert written not in str(raised.value)


def test_a_key_with_its_line_breaks_escaped_is_understood(world: GitHubWorld):
    known = world.connect()
    escaped = known.settings.environment["GITHUB_KEY"].replace("\n", "\\n")
    known.settings = replace(
        known.settings, environment={**known.settings.environment, "GITHUB_KEY": escaped}
    )
    found: Any = known.connection("app")
    assert found.open(known, {"actions": "read"}).read_visibility() == "private"


def test_doctor_reads_the_repository(world: GitHubWorld):
    known = world.connect()
    [finding] = known.connection("ml-cd").preflight(known)
    assert (finding.ok, finding.said) == (True, "exists, private")
    known = world.connect(repository="example/other")
    [finding] = known.connection("ml-cd").preflight(known)
    assert finding.ok is False
    assert "404: Not Found" in finding.said


def test_a_private_address_is_called_only_where_the_connection_allows_it(world: GitHubWorld):
    known = world.connect(allow_private=False)
    found: Any = known.connection("ml-cd")
    with pytest.raises(PermanentError, match="is a loopback address"):
        found.open(known, {}).read_visibility()
    assert world.calls == []


TOKEN = {"token": {"setting": "T"}}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"repository": "example", **TOKEN}, "write owner/name"),
        ({"repository": "example/..", **TOKEN}, "write owner/name"),
        ({"repository": "https://github.com/example/a", **TOKEN}, "write owner/name"),
        ({"repository": "example/a"}, "give 'token' or both 'app_id' and 'private_key'"),
        ({"repository": "example/a", "app_id": "1"}, "there is only app_id"),
        (
            {"repository": "example/a", "app_id": "1", "private_key": {"setting": "K"}, **TOKEN},
            "there is token",
        ),
        ({"repository": "example/a", "token": "plain text"}, "token"),
        ({"repository": "example/a", "base": "http://ghe.example", **TOKEN}, ""),
    ],
)
def test_a_connection_that_cannot_work_is_refused(written: dict[str, Any], said: str):
    known = services({"c": {"type": "github", **written}}, T="x")
    if said:
        with pytest.raises(ValidationError, match=said):
            GitHub.model_validate(written)
    else:
        with pytest.raises(PermanentError, match="is not encrypted"):
            known.connection("c").open(known, {})  # type: ignore[attr-defined]


def test_a_setting_that_is_not_set_is_named():
    known = services({"c": {"type": "github", "repository": "a/b", "token": {"setting": "ABSENT"}}})
    with pytest.raises(ConfigError, match="ABSENT"):
        known.connection("c").open(known, {})  # type: ignore[attr-defined]
