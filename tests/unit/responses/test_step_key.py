"""Names of what steps start: the same at every attempt, unknown to whoever lacks the secret."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mlevents.responses.response_id import digest
from mlevents.responses.step_key import step_key
from mlevents.settings import Settings

TEXT = st.text(st.characters(codec=None), max_size=20)
SECRET = st.text(st.characters(codec=None, exclude_characters="\0"), max_size=20)
"""An environment variable holds no NUL, with which HMAC pads a key."""


@given(TEXT, TEXT, TEXT)
def test_a_key_is_the_same_at_every_attempt_and_fit_for_azure(secret: str, response: str, step: str) -> None:
    key = step_key(secret, response, step)
    assert key == step_key(secret, response, step)
    assert re.fullmatch(r"mlevents-[0-9a-f]{20}", key)


@given(st.tuples(SECRET, TEXT, TEXT), st.tuples(SECRET, TEXT, TEXT))
def test_no_two_steps_or_apps_share_a_key(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (step_key(*one) == step_key(*other)) == (one == other)


def test_the_response_and_the_step_alone_do_not_tell_the_key() -> None:
    assert step_key("a", "rule.1", "train") != f"mlevents-{digest('rule.1 train')}"
    assert step_key("a", "rule.1", "train") != step_key("", "rule.1", "train")


def test_an_app_without_a_secret_of_its_own_takes_its_storage() -> None:
    storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    assert Settings.read(storage).secret == storage["AzureWebJobsStorage"]
    assert Settings.read({**storage, "MLEVENTS_SECRET": "own"}).secret == "own"
    assert Settings.read({}).secret == ""


def test_the_secret_is_not_shown() -> None:
    assert "own" not in repr(Settings.read({"MLEVENTS_SECRET": "own"}))
