"""The literal of a regular expression: every text that fits contains it."""

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from mlevents.canonical import fold
from mlevents.conditions.matches import Matches
from mlevents.conditions.regex_literal import find_literal

PIECES = [
    "a",
    "b",
    "K",
    "s",
    "-",
    ".",
    r"\.",
    r"\d",
    "[ab]",
    "[^]a]",
    "[[:alpha:]]",
    "(a|b)",
    "(?:b-)",
    "(?i)",
]
PIECES += [
    "(?-i)",
    "*",
    "+",
    "?",
    "{0}",
    "{0,2}",
    "{2}",
    "|",
    "^",
    "$",
    "é",
    r"\x61",
    r"\Qa*\E",
    r"\pL",
    "]",
    "}",
]
texts = st.lists(st.sampled_from("aAbBkK\u212asS\u017f-.1é]}*xX"), max_size=8).map("".join)


@given(pattern=st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join), text=texts)
@example(pattern="ab|b", text="b")
@example(pattern="a(?i)*", text="")
@example(pattern="bak", text="ba\u212a")
def test_every_text_that_fits_contains_the_literal(pattern: str, text: str) -> None:
    try:
        condition = Matches(pattern)
    except ValueError:
        return
    if condition.holds(text):
        assert find_literal(pattern) in fold(text)


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        (r"team-17-\w+", "team-17-"),
        (r".*-nightly\.v2", "-nightly.v2"),
        ("Fraud.*", "fraud"),
        ("(?i)fraud", "fraud"),
        ("fraud?", "frau"),
        ("fraud+x", "fraud"),
        ("a{0}bc", "bc"),
        ("ab|cd", ""),
        ("(ab|cd)-net", "-net"),
        ("stage", "tage"),
        (r"\Qab\E", ""),
        (r"\d+", ""),
        ("[abc]de", "de"),
        ("(a[)]b)cd", "cd"),
    ],
)
def test_the_literal_is_the_longest_outside_of_groups(pattern: str, literal: str) -> None:
    re2.compile(pattern)
    assert find_literal(pattern) == literal
