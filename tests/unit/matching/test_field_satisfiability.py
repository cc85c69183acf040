"""Which conditions on one field exclude one another: never more than do, and what people run into."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlevents.conditions.condition import Condition, operator
from mlevents.matching.field_satisfiability import Requirement, is_satisfiable
from tests.unit.matching.where_samples import NUMBERS, OPERANDS, TEXTS

PIECES = st.lists(st.sampled_from(["a", "b", "A", "ab", "-", "1", "2.5"]), max_size=4).map("".join)
SOME = PIECES.filter(bool)
LISTS = st.lists(SOME, min_size=1, max_size=3)
PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]"]), min_size=1, max_size=4).map("".join)
TEXT_OPERANDS = {
    **dict.fromkeys(("prefix", "suffix", "contains"), SOME | LISTS),
    "glob": PATTERNS | st.lists(PATTERNS, min_size=1, max_size=3),
    "matches": st.sampled_from(["a.*", "(?-i)A", "[ab]+", ".*b"]),
    "version": st.sampled_from([">=2", "<2.5", "==1"]),
    "equals": SOME,
    "in": LISTS,
    "not-in": LISTS,
    "absent": st.just(True),
    "present": st.just(True),
    **dict.fromkeys(("gt", "gte", "lt", "lte"), st.sampled_from([1, 2.5, 3])),
    "between": st.sampled_from([[1, 2.5], [2.5, 2.5]]),
}


def asked(operands):
    """Some conditions that must hold or must not."""
    one = st.sampled_from(sorted(operands)).flatmap(lambda name: operands[name].map(operator.find(name)))
    return st.lists(st.builds(Requirement, one, st.booleans()), min_size=1, max_size=4)


NUMBER_OPERANDS = OPERANDS["number"] | OPERANDS["numeric"] | OPERANDS["any"]


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_what_one_text_does_is_possible(drawn):
    value = drawn.draw(st.none() | PIECES | st.sampled_from(TEXTS))
    conditions = [one.condition for one in drawn.draw(asked(TEXT_OPERANDS))]
    assert is_satisfiable([Requirement(one, one.holds(value)) for one in conditions], "text")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_one_number_does_is_possible(drawn):
    value = drawn.draw(st.none() | st.sampled_from(NUMBERS) | st.floats(-3, 1001))
    conditions = [one.condition for one in drawn.draw(asked(NUMBER_OPERANDS))]
    assert is_satisfiable([Requirement(one, one.holds(value)) for one in conditions], "number")


@settings(max_examples=100, deadline=None)
@given(asked(NUMBER_OPERANDS))
def test_what_is_possible_on_numbers_is_so_for_one_of_them(several):
    assume(is_satisfiable(several, "number"))
    tried = [None, *NUMBERS, *(number / 40 for number in range(-400, 41_000))]
    assert any(all(one.condition.holds(value) is one.holds for one in several) for value in tried)


@pytest.mark.parametrize(
    "several",
    [
        [("prefix", "fraud-", True), ("prefix", "credit-", True)],
        [("prefix", ["a", "b"], True), ("prefix", "a", False), ("prefix", "b", False)],
        [("suffix", "-a", True), ("suffix", "-b", True)],
        [("contains", "ab", True), ("contains", "b", False)],
        [("glob", "prod-*", True), ("prefix", "test", True)],
        [("glob", "prod-*", True), ("glob", "prod*", False)],
        [("glob", "*x*", True), ("contains", "X", False)],
        [("equals", "Prod", True), ("glob", "test-*", True)],
        [("equals", "1.0", True), ("gte", 2, True)],
        [("in", ["a", "b"], True), ("not-in", ["A", "B"], True)],
        [("not-in", ["a"], False), ("prefix", "b", True)],
        [("equals", "3.0", True), ("version", "<2", True)],
        [("gt", 5, True), ("lt", 5, True)],
        [("between", [1, 2], True), ("gte", 1, False)],
        [("absent", True, True), ("prefix", "a", True)],
        [("present", True, False), ("equals", "a", True)],
        [("absent", True, True), ("present", True, True)],
    ],
)
def test_what_no_text_can_do_is_told(several):
    assert not is_satisfiable(
        [Requirement(operator.find(name)(operand), holds) for name, operand, holds in several], "text"
    )


@pytest.mark.parametrize(
    "several",
    [
        [("prefix", "fraud-", True), ("prefix", "FRAUD-net", True)],
        [("prefix", "a", True), ("suffix", "b", True), ("contains", ["x", "y"], True)],
        [("glob", "a?", False), ("prefix", "a", True)],
        [("glob", "ab*ba", False), ("prefix", "ab", True), ("suffix", "ba", True)],
        [("equals", "Production", True), ("matches", "(?-i)production", True)],
        [("gte", 5, True), ("lte", 5, True)],
        [("gte", 5, False), ("lt", 5, False)],
        [("prefix", "1", True), ("gte", 5, True)],
        [("not-in", ["5"], True), ("gte", 5, True), ("lte", 5, True)],
    ],
)
def test_what_some_text_can_do_is_left_alone(several):
    assert is_satisfiable(
        [Requirement(operator.find(name)(operand), holds) for name, operand, holds in several], "text"
    )


class IsUpper(Condition):
    """An operator that declares nothing of itself."""

    def __init__(self, operand):
        self.operand = operand

    def holds(self, value):
        return isinstance(value, str) and value.isupper()


@pytest.mark.parametrize(("name", "operand"), [("equals", "prod"), ("prefix", "p"), ("present", True)])
@pytest.mark.parametrize("holds", [True, False])
def test_an_operator_that_declares_nothing_contradicts_nothing(name, operand, holds):
    beside = Requirement(operator.find(name)(operand), True)
    assert is_satisfiable([beside, Requirement(IsUpper(True), holds)], "text")
    assert IsUpper(True).clause() is None
