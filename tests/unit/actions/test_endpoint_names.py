"""Names made of what others wrote are names that Azure ML takes, and never mean two things."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.actions.endpoint_names import deployment_name, endpoint_name
from mlevents.errors import PermanentError

AZURE = re.compile(r"[a-zA-Z](?:-?[a-zA-Z0-9])+")
models = st.from_regex(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,40}", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,4}|[A-Za-z0-9][-A-Za-z0-9_.]{0,12}", fullmatch=True)
versioned = st.tuples(models, versions)


def is_name(name: str) -> bool:
    return 3 <= len(name) <= 32 and AZURE.fullmatch(name) is not None


@given(st.text(max_size=60))
def test_any_text_gives_a_name_or_is_refused(text: str) -> None:
    if any(letter.isascii() and letter.isalnum() for letter in text):
        assert is_name(endpoint_name(text))
    else:
        with suppress(PermanentError):
            assert is_name(endpoint_name(text))


@pytest.mark.parametrize("text", ["", "???", "模型"])
def test_a_text_that_leaves_nothing_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(PermanentError, match=re.escape(f"'{text}' gives no valid")):
        endpoint_name(text)


@given(st.from_regex(r"[a-zA-Z](-?[a-zA-Z0-9]){2,15}", fullmatch=True))
def test_a_name_is_left_as_it_is(name: str) -> None:
    assert endpoint_name(name) == name


@given(versioned, versioned)
def test_different_models_or_versions_never_share_a_deployment(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    names = {deployment_name(*one).lower(), deployment_name(*other).lower()}
    assert all(map(is_name, names))
    assert (len(names) == 1) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a-1", "2"), ("a", "1-2")),
        (("net", "1"), ("Net", "1")),
        (("a.b", "1"), ("a_b", "1")),
        (("a", "1"), ("a", "01")),
    ],
)
def test_names_that_look_alike_stay_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert deployment_name(*one).lower() != deployment_name(*other).lower()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fraud_net", "fraud-net"),
        ("Fraud Net!", "fraud-net"),
        ("2024 net", "m-2024-net"),
        ("Bücher.net", "bucher-net"),
    ],
)
def test_the_nearest_name_is_what_one_would_guess(text: str, name: str) -> None:
    assert endpoint_name(text) == name


def test_a_plain_model_and_version_can_be_read_off_the_name() -> None:
    assert deployment_name("fraud-net", "8") == "fraud-net-8"
