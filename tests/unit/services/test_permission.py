"""What a role allows: wildcards, exceptions, and needs that are patterns themselves."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.services.permission import Grant, is_allowed, patterns_overlap

ML = "Microsoft.MachineLearningServices/workspaces"
DATA_SCIENTIST = Grant(
    (f"{ML}/*/read", f"{ML}/*/action", f"{ML}/*/delete", f"{ML}/*/write"),
    (f"{ML}/delete", f"{ML}/write", f"{ML}/computes/*/write", f"{ML}/computes/listKeys/action"),
)


@pytest.mark.parametrize(
    ("grant", "action", "is_allowed"),
    [
        (Grant(("*",)), f"{ML}/read", True),
        (Grant(("*/read",)), f"{ML}/read", True),
        (Grant(("*/read",)), f"{ML}/write", False),
        (Grant((f"{ML}/ONLINEENDPOINTS/write",)), f"{ML}/onlineEndpoints/write", True),
        (Grant((f"{ML}/onlineEndpoints/write",)), f"{ML}/onlineEndpoints/deployments/write", False),
        (Grant(("*",), (f"{ML}/onlineEndpoints/*",)), f"{ML}/onlineEndpoints/write", False),
        (Grant(("*",), (f"{ML}/onlineEndpoints/delete",)), f"{ML}/onlineEndpoints/write", True),
        (DATA_SCIENTIST, f"{ML}/read", False),
        (Grant((f"{ML}/models/*/read",)), f"{ML}/models/read", False),
        (Grant((f"{ML}/models/*/read",)), f"{ML}/models/versions/read", True),
        (Grant((f"{ML}/models/*/read",)), f"{ML}/models/versions/x/read", True),
        (DATA_SCIENTIST, f"{ML}/models/versions/read", True),
        (DATA_SCIENTIST, f"{ML}/write", False),
        (DATA_SCIENTIST, f"{ML}/onlineEndpoints/listKeys/action", True),
        (DATA_SCIENTIST, f"{ML}/models/*/read", True),
        (Grant((f"{ML}/models/versions/read",)), f"{ML}/models/*/read", False),
        (Grant(("*",), (f"{ML}/jobs/delete",)), f"{ML}/jobs/*", False),
        (Grant(()), f"{ML}/read", False),
    ],
)
def test_a_role_allows_what_its_actions_name_without_its_exceptions(
    grant: Grant, action: str, is_allowed: bool
):
    assert grant.allows(action) is is_allowed


def test_an_exception_binds_its_own_role_alone():
    but_write = Grant(("*",), ("*/write",))
    assert not is_allowed([but_write], f"{ML}/write")
    assert is_allowed([but_write, Grant((f"{ML}/write",))], f"{ML}/write")


def test_nothing_is_allowed_by_no_role():
    assert not is_allowed([], f"{ML}/read")


PATTERNS = st.text("ab*", max_size=8)


@given(PATTERNS, PATTERNS)
def test_overlap_has_no_order(one: str, other: str):
    assert patterns_overlap(one, other) is patterns_overlap(other, one)


@given(PATTERNS, st.text("ab", max_size=8))
def test_overlap_with_a_plain_text_is_a_match(pattern: str, text: str):
    wanted = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None
    assert patterns_overlap(pattern, text) is wanted
