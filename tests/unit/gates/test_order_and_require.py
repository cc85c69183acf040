"""The gates that compare a version with what serves now."""

from functools import reduce
from itertools import permutations
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from pydantic import ValidationError

from mlevents.gates import order, require
from mlevents.gates.gate import Served
from mlevents.gates.order import Order, newer, newest
from mlevents.gates.require import Require


def served(version: str, key: str = "net", **tags: str) -> Served:
    """A deployment with traffic."""
    return Served(
        deployment=f"net-{version}", percent=100, model="net", version=version, key=key, by=version, tags=tags
    )


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
def test_an_older_version_never_follows_a_newer_one(by: str, serving: list[Served], objects: bool) -> None:
    assert bool(Order(key="net", by=by).objection({}, serving)) == objects


def test_what_another_version_of_the_app_says_of_a_deployment_is_ignored() -> None:
    one = served("9", accuracy="0.9")
    assert Served.from_json(one.to_json() | {"region": "westeurope"}) == one


def test_a_response_gives_way_to_a_newer_one_of_its_key_that_waits() -> None:
    def superseded(key: str, by: str) -> str | None:
        return Order(key="net", by="8").superseded([{"key": "net", "by": "7"}, {"key": key, "by": by}])

    assert superseded("net", "8") is None
    assert superseded("other", "9") is None
    assert "9 of 'net'" in (superseded("net", "9") or "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10", "9"),
        ("1!1", "2"),
        ("0!2", "1"),
        ("1.0", "1.0rc1"),
        ("1.0-foo", "1.0"),
        ("2.0", "1.0-foo"),
        ("0.2", "0.1-foo"),
        ("2024-05-10b", "2024-05-9b"),
        ("1-b", "V1-a"),
        ("V1-b", "1-a"),
        ("1-foo", "V1-bar"),
        ("1-a", "x"),
        ("1", "x"),
        ("yb", "xc"),
        ("x-10", "x-9"),
    ],
)
def test_one_version_is_newer_than_another(one: str, other: str) -> None:
    assert newer(one, other)
    assert not newer(other, one)
    assert newest(one, other) == newest(other, one) == one


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("1.0", "v1"), ("1-a", "1.0-A"), ("007", "7")])
def test_two_ways_to_write_a_version_are_equally_new(one: str, other: str) -> None:
    assert not newer(one, other)
    assert not newer(other, one)
    assert newest(one, other) == newest(other, one)


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
        ({"at_least": "champion"}, "0.9499", "0.95", "accuracy is 0.9499, less than 0.95"),
        (
            {"at_least": "champion", "tolerance": 0.01},
            "0.93",
            "0.95",
            "accuracy is 0.93, less than 0.95 of the",
        ),
        ({"at_least": "champion"}, "0.99", "0.95", None),
        ({"at_most": "champion"}, "0.2", "0.1", "accuracy is 0.2, more than 0.1 of the champion net:7"),
        ({"at_most": "champion"}, "0.1", "0.1", None),
        ({"at_most": "champion"}, "0.05", "0.1", None),
        ({"at_most": "champion", "tolerance": 0.05}, "0.14", "0.1", None),
        ({"at_most": 0.1}, "0.2", "0.3", "accuracy is 0.2, more than 0.1 of the bar"),
        ({"at_least": 0.9}, "0.89", None, "accuracy is 0.89, less than 0.9 of the bar"),
        ({"at_least": "champion"}, "0.1", None, None),
        ({"at_least": "champion"}, "good", "0.9", "the model has no number in its tag 'accuracy'"),
        ({"at_least": "champion"}, "0.9", "n/a", "the champion net:7 has no number in its tag 'accuracy'"),
    ],
)
def test_a_model_must_be_as_good_as_the_champion(gate: dict[str, Any], mine: str, champion, says) -> None:
    serving = [served("7", accuracy=champion), served("6", accuracy="0.01")] if champion else []
    names = {"model": {"tags": {"accuracy": mine}}}
    objection = Require.model_validate({"metric_tag": "accuracy", **gate}).objection(names, serving)
    assert objection is None if says is None else (objection or "").startswith(says)


def test_the_tolerance_is_part_of_the_reason() -> None:
    def reason(tolerance: float) -> str:
        gate = Require(metric_tag="accuracy", at_least=0.9, tolerance=tolerance)
        return gate.objection({"model": {"tags": {"accuracy": "0.5"}}}, []) or ""

    assert reason(0.01).endswith("of the bar, within 0.01")
    assert reason(0.0).endswith("of the bar")


@pytest.mark.parametrize("names", [{}, {"model": None}, {"model": {}}, {"model": {"tags": None}}])
def test_an_event_without_a_model_or_its_tags_is_not_good_enough(names: dict[str, Any]) -> None:
    says = Require(metric_tag="accuracy", at_least=0.9).objection(names, [])
    assert says == "the model has no number in its tag 'accuracy'"


def test_a_gate_says_which_of_the_events_names_it_reads() -> None:
    assert Require(metric_tag="accuracy", at_least=0.9).paths == {("model", "tags", "accuracy")}
    assert Order(key="net", by="1").paths == set()


@pytest.mark.parametrize(
    "more",
    [{"tolerence": 1.0}, {"tolerance": "1"}, {"at_least": "0.9"}, {"tolerance": -0.1}, {"metric_tag": 1}],
)
def test_a_gate_knows_its_parameters_and_converts_nothing(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Require.model_validate({"metric_tag": "accuracy", "at_least": 1.0, **more})


@pytest.mark.parametrize("bars", [{}, {"at_least": 1.0, "at_most": 2.0}, {"at_least": "best"}])
def test_one_bar_is_wanted(bars: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Require.model_validate({"metric_tag": "accuracy", **bars})


@pytest.mark.parametrize(("module", "kind"), [(order, Order), (require, Require)])
def test_the_example_in_the_docstring_is_the_gate(module, kind) -> None:
    text = (module.__doc__ or "").split("```yaml")[1].split("```")[0]
    [(name, written)] = yaml.safe_load(text).items()
    assert module.__name__.endswith(name)
    assert kind.model_validate(written)
