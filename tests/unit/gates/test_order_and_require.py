"""The gates that compare a version with what serves now."""

from functools import reduce
from itertools import permutations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from pydantic import ValidationError

from mlevents.gates import order, require
from mlevents.gates.order import Order, newer, newest
from mlevents.gates.require import Require


def served(version: str, key: str = "net", **tags: str) -> dict:
    """A deployment with traffic."""
    return {
        "deployment": f"net-{version}",
        "percent": 100,
        "model": "net",
        "version": version,
        "key": key,
        "by": version,
        "tags": tags,
    }


@pytest.mark.parametrize(
    ("by", "serving", "objects"),
    [
        ("8", [served("9")], True),
        ("9", [served("8")], False),
        ("9", [served("9")], False),
        ("10", [served("9")], False),
        ("9", [served("8"), served("10")], True),
        ("8", [served("9", key="other")], False),
        ("8", [], False),
        ("1.9", [served("1.10")], True),
        ("2024-05-01b", [served("2024-05-02a")], True),
    ],
)
def test_an_older_version_never_follows_a_newer_one(by: str, serving: list, objects: bool) -> None:
    assert bool(Order(key="net", by=by).objection({}, serving)) == objects


versions = st.one_of(
    st.text("0123456789.abrc-!v+ ", max_size=8),
    st.sampled_from(["1.0rc1", "1.0", "1.0-foo", "1", "1.0.0", "2024-05-01b", "v2", "9" * 5000, "1!0", "x"]),
    st.text(max_size=5),
)


@given(one=versions, other=versions)
def test_two_versions_are_never_newer_than_each_other(one: str, other: str) -> None:
    assert not (newer(one, other) and newer(other, one))
    assert not newer(one, one)


@given(triple=st.tuples(versions, versions, versions))
def test_the_order_of_versions_is_total_and_transitive(triple: tuple[str, str, str]) -> None:
    for one, other, third in permutations(triple):
        if not newer(one, other) and not newer(other, third):
            assert not newer(one, third), "so a maximum does not depend on the order"


@given(some=st.lists(versions, min_size=1, max_size=5), data=st.data())
def test_the_newest_version_depends_on_no_order_and_on_no_repetition(some: list[str], data) -> None:
    again = data.draw(st.permutations(some * 2))
    assert reduce(newest, some) == reduce(newest, again)


@given(one=versions, other=versions)
def test_two_versions_of_pep_440_compare_by_it(one: str, other: str) -> None:
    try:
        expected = Version(one) > Version(other)
    except ValueError:
        return
    assert newer(one, other) == expected


def test_a_version_of_five_thousand_digits_is_a_version() -> None:
    assert newer("9" * 5000, "8" * 5000)
    assert newer("9" * 5000, "1.2.3")
    assert not newer("1.2.3", "9" * 5000)


@pytest.mark.parametrize(
    ("gate", "mine", "champion", "says"),
    [
        ({"at_least": "champion"}, "0.95", "0.95", None),
        ({"at_least": "champion"}, "0.94", "0.95", "accuracy is 0.94, less than 0.95 of the champion net:7"),
        ({"at_least": "champion", "tolerance": 0.01}, "0.945", "0.95", None),
        ({"at_most": "champion"}, "0.2", "0.1", "accuracy is 0.2, more than 0.1 of the champion net:7"),
        ({"at_least": 0.9}, "0.89", None, "accuracy is 0.89, less than 0.9 of the bar"),
        ({"at_least": "champion"}, "0.1", None, None),
        ({"at_least": "champion"}, "good", "0.9", "the model has no number in its tag 'accuracy'"),
        ({"at_least": "champion"}, "0.9", "n/a", "the champion net:7 has no number in its tag 'accuracy'"),
    ],
)
def test_a_model_must_be_as_good_as_the_champion(gate: dict, mine: str, champion, says) -> None:
    serving = [served("7", accuracy=champion), served("6", accuracy="0.01")] if champion else []
    names = {"model": {"tags": {"accuracy": mine}}}
    objection = Require.model_validate({"metric_tag": "accuracy", **gate}).objection(names, serving)
    assert objection is None if says is None else (objection or "").startswith(says)


@pytest.mark.parametrize("bars", [{}, {"at_least": 1.0, "at_most": 2.0}, {"at_least": "best"}])
def test_one_bar_is_wanted(bars: dict) -> None:
    with pytest.raises(ValidationError):
        Require.model_validate({"metric_tag": "accuracy", **bars})


@pytest.mark.parametrize(("module", "kind"), [(order, Order), (require, Require)])
def test_the_example_in_the_docstring_is_the_gate(module, kind) -> None:
    text = (module.__doc__ or "").split("```yaml")[1].split("```")[0]
    [(name, written)] = yaml.safe_load(text).items()
    assert module.__name__.endswith(name)
    assert kind.model_validate(written)
