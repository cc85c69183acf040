"""Every operator: what holds, what is refused when bound, and that asking never raises."""

import inspect
import re
import sys
import textwrap
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlevents.canonical import fold
from mlevents.conditions.condition import as_number, operator
from mlevents.matching.where import bind_where

ALL = dict(operator.items())
GOOD = {
    "equals": ["Prod", 8, 0.5, True],
    "in": [["a", "B"], [1, 2]],
    "not-in": ["a", ["a", "b"]],
    "prefix": ["fraud-", ["a", "b"]],
    "suffix": ["-net"],
    "contains": ["aud"],
    "gt": [0, 0.92],
    "gte": [0.92],
    "lt": [-5],
    "lte": [500],
    "between": [[0.3, 0.7], [1, 1]],
    "present": [True],
    "absent": [True],
    "glob": ["prod-*", ["a?", "[ab]c"]],
    "matches": [r"\d+(\.\d+)*", "a|b"],
    "version": [">=2.1", ">=2,<3", "==2.*", ">=2024-05-01b"],
}
values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters())
    | st.sampled_from(
        ["NaN", "1_000", "0x10", "٣", "1e999", "9" * 5000, "\ud800", "a\0b", 10**400, [], {}, ["a"]]
    )
)


def test_every_operator_is_tried_here():
    assert set(GOOD) == set(ALL)


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_example_in_its_docstring_loads(name):
    text = textwrap.dedent(inspect.getdoc(sys.modules[ALL[name].__module__]) or "")
    example = next(part for part in text.split("\n\n") if part.startswith("where:"))
    reports = []
    assert bind_where(
        yaml.safe_load(example)["where"], ("*",), "where", lambda *report: reports.append(report)
    )
    assert reports == []


@pytest.mark.parametrize("name", sorted(ALL))
@given(value=values)
def test_asking_never_raises(name, value):
    for operand in GOOD[name]:
        assert ALL[name](operand).holds(value) in (True, False)


@pytest.mark.parametrize("name", sorted(ALL))
@given(operand=values | st.lists(values, max_size=3))
def test_binding_raises_only_value_errors(name, operand):
    with suppress(ValueError):
        ALL[name](operand)


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_missing_value_fulfils_only_not_in_and_absent(name):
    for operand in GOOD[name]:
        assert ALL[name](operand).holds(None) is (name in ("not-in", "absent"))


@pytest.mark.parametrize(
    ("name", "operand", "value", "holds"),
    [
        ("equals", "prod", "PROD", True),
        ("equals", "é", "É", False),
        ("equals", "k", "\u212a", False),
        ("equals", True, 1, False),
        ("equals", 1, True, False),
        ("equals", 1, 1.0, True),
        ("equals", "8", 8, False),
        ("in", ["a", "B"], "b", True),
        ("in", ["a"], "ab", False),
        ("not-in", ["a"], "A", False),
        ("not-in", "a", "b", True),
        ("prefix", "FRAUD-", "fraud-net", True),
        ("prefix", ["x", "f"], "fraud", True),
        ("suffix", "-net", "fraud-NET", True),
        ("contains", "aud", "fraud", True),
        ("contains", "aud", ["aud"], False),
        ("gte", 0.92, "0.92", True),
        ("gte", 0.92, "0.919", False),
        ("gt", 1, "1e3", True),
        ("gt", 1, True, False),
        ("gt", 1, "1_000", False),
        ("gt", 1, "0x10", False),
        ("gt", 1, "٣", False),
        ("gt", 1, "inf", False),
        ("gt", 1, "1e999", False),
        ("lt", 1, "nan", False),
        ("lt", 1, " 0.5", False),
        ("lte", 5, "5.0", True),
        ("between", [0.3, 0.7], "0.7", True),
        ("between", [0.3, 0.7], 0.71, False),
        ("present", True, "", True),
        ("absent", True, "", False),
        ("glob", "prod-*", "PROD-eu", True),
        ("glob", "prod-*", "xprod-eu", False),
        ("glob", "v?", "v1", True),
        ("glob", "v?", "v10", False),
        ("matches", "fraud-.*", "FRAUD-net", True),
        ("matches", "(?-i)fraud-.*", "FRAUD-net", False),
        ("matches", "fraud", "fraud-net", False),
        ("version", ">=2.1", "2.10", True),
        ("version", ">=2.1", "2.0.9", False),
        ("version", ">=2", "2.1rc1", True),
        ("version", "~=2.1", "2.9", True),
        ("version", ">=2", "release 3", True),
        ("version", ">=v9", "v10", True),
        ("version", "<2024-05-02b", "2024-05-02a", True),
        ("version", "~=2.1", "not a version", False),
    ],
)
def test_holds(name, operand, value, holds):
    assert ALL[name](operand).holds(value) is holds


@pytest.mark.parametrize(
    ("name", "operand", "message"),
    [
        ("equals", ["a"], "use `in` for a list"),
        ("in", "a", "use `equals`"),
        ("in", [], "an empty list never holds"),
        ("in", [None], "null compares with nothing"),
        ("prefix", 8, "put it in quotes"),
        ("prefix", "", "an empty text holds for every text"),
        ("gte", "0.9", "leave out the quotes"),
        ("gte", float("nan"), "wants a number"),
        ("lt", True, "wants a number, not true"),
        ("between", [2, 1], "write the lesser first"),
        ("between", [1], "two numbers"),
        ("present", False, "`absent: true`"),
        ("absent", False, "`present: true`"),
        ("matches", "(", "missing )"),
        ("matches", "(?=a)", "is not a valid RE2 regular expression"),
        ("matches", 8, "put it in quotes"),
        ("version", "2.1", "wants comparisons such as '>=2.1'"),
        ("version", "~=foo", "wants a PEP 440 version"),
        ("version", 2.1, "wants a range as a text"),
    ],
)
def test_an_operand_of_no_use_is_refused_with_the_remedy(name, operand, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ALL[name](operand)


def test_a_regular_expression_takes_linear_time():
    assert not ALL["matches"]("(a+)+b").holds("a" * 100_000)
    assert not ALL["glob"]("*a*a*a*a*a*a*b").holds("a" * 2_000)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_that_number(number):
    assert as_number(repr(number)) == number


@given(st.text())
def test_folding_changes_ascii_letters_alone(text):
    assert len(fold(text)) == len(text)
    for before, after in zip(text, fold(text), strict=True):
        assert after == (before.lower() if before.isascii() else before)
