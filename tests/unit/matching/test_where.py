"""`where`: what is reported when it is bound, and which condition is named when it fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlevents.events import parse
from mlevents.matching.where import bind_where, list_names
from tests.unit.matching.where_samples import WIRE_KINDS, refuse, wheres, wire_events

KINDS = ("model.registered",)
TAGS = {"stage": "production", "hold": "legal", "a.b": "x"}
HELD = {"model": {"name": "fraud-net", "version": "8", "tags": TAGS}}
UNHELD = {"stage": ["production", "prod"], "hold": {"absent": True}}


def reports(where, kinds=KINDS):
    """What is reported of a `where`."""
    found = []
    bound = bind_where(
        where,
        kinds,
        "rules[0].where",
        lambda path, text: found.append((path.removeprefix("rules[0]."), text)),
    )
    assert (bound is None) is bool(found)
    return found


def failure(where, names, kinds=KINDS):
    """The first failure as a tuple; None when the conditions hold."""
    bound = bind_where(where, kinds, "where", refuse)
    assert bound
    because = bound.first_failure(names)
    return because and (because.path, because.wanted, because.found)


@pytest.mark.parametrize(
    ("where", "because"),
    [
        (
            {"model": {"name": {"prefix": "fraud-"}, "tags": UNHELD}},
            ("where.model.tags.hold", {"absent": True}, "legal"),
        ),
        ({"model": {"tags": {"stage": "draft"}}}, ("where.model.tags.stage", "draft", "production")),
        ({"model": {"tags": {"stage": ["a", "b"]}}}, ("where.model.tags.stage", ["a", "b"], "production")),
        (
            {"model": {"tags": {"owner": {"present": True}}}},
            ("where.model.tags.owner", {"present": True}, None),
        ),
        ({"model": {"tags": {"a.b": "y"}}}, ("where.model.tags.a.b", "y", "x")),
        ({"model": {"version": {"gte": 1, "lt": 8}}}, ("where.model.version", {"lt": 8}, "8")),
        (
            {"all": [{"model": {"name": "fraud-net"}}, {"model": {"version": "9"}}]},
            ("where.all[1].model.version", "9", "8"),
        ),
        ({"any": [{"model": {"version": "1"}}]}, ("where.any", {"any": [{"model": {"version": "1"}}]}, "8")),
        (
            {"any": [{"model": {"version": "1"}}, {"model": {"name": "x"}}]},
            (
                "where.any",
                {"any": [{"model": {"version": "1"}}, {"model": {"name": "x"}}]},
                {"model.version": "8", "model.name": "fraud-net"},
            ),
        ),
        ({"not": {"model": {"version": "8"}}}, ("where.not", {"not": {"model": {"version": "8"}}}, "8")),
        ({"model": {"not": {"version": "8"}}}, ("where.model.not", {"not": {"version": "8"}}, "8")),
        ({"model": {"version": {"not": {"gte": 8}}}}, ("where.model.version", {"not": {"gte": 8}}, "8")),
        (
            {"model": {"version": {"any": [{"lt": 5}, "9"]}}},
            ("where.model.version", {"any": [{"lt": 5}, "9"]}, "8"),
        ),
        ({"model": {"version": {"any": [{"lt": 5}, "8"]}}}, None),
        ({"model": {"tags": {"not": {"stage": "draft"}}}}, None),
    ],
)
def test_the_first_condition_that_fails_is_named(where, because):
    assert failure(where, HELD) == because


@pytest.mark.parametrize(
    ("where", "path", "text"),
    [
        (
            {"model": {"name": {"prefx": "f"}}},
            "where.model.name.prefx",
            "unknown operator 'prefx' (did you mean 'prefix'?)",
        ),
        ({"modle": {"name": "f"}}, "where.modle", "(did you mean 'model'?)"),
        ({"model": {"nam": "f"}}, "where.model.nam", "(did you mean 'name'?)"),
        ({"drift": {"monitor": "f"}}, "where.drift", "it belongs to drift.detected"),
        ({"model": {"version": 8}}, "where.model.version", 'write "8"'),
        ({"model": {"tags": {"live": True}}}, "where.model.tags.live", 'write "true"'),
        ({"model": {"version": {"in": ["7", 8]}}}, "where.model.version.in", 'write "8"'),
        ({"model": {"name": None}}, "where.model.name", "`absent: true`"),
        ({"model": {"name": []}}, "where.model.name", "an empty list never matches"),
        ({"model": {"name": {}}}, "where.model.name", "is empty"),
        ({"model": {"name": {"prefix": None}}}, "where.model.name.prefix", "`absent: true`"),
        ({"model": {"name": {}}}, "where.model.name", "is empty: write operators in it"),
        ({"model": {"tags": {}}}, "where.model.tags", "is empty: write tag keys in it"),
        ({"model": {}}, "where.model", "is empty: write names such as name, "),
        ({"model": {"run": "x"}}, "where.model.run", "unknown name 'run'"),
        ({"model": {"nott": {"name": "x"}}}, "where.model.nott", "(did you mean 'not'?)"),
        ({"model": {"zzzzzz": "x"}}, "where.model.zzzzzz", "'zzzzzz': write names such as name, "),
        (
            {"run": {"id": "x"}},
            "where.run",
            "it belongs to drift.detected, run.completed, run.status_changed",
        ),
        ({"model": {"name": "x", "nam": "y", "version": {"gt": 5, "lt": 3}}}, "where.model.nam", "did you"),
        ({}, "where", "is empty"),
        ({"model": "fraud"}, "where.model", "must be a map of names"),
        ({"model": {"tags": "x"}}, "where.model.tags", "must be a map of tag keys"),
        ({"model": {"prefix": "x"}}, "where.model.prefix", "'prefix' is an operator"),
        ({"any": []}, "where.any", "must be a list of maps"),
        ({"any": [{"model": {"name": {"gt": "x"}}}]}, "where.any[0].model.name.gt", "wants a number"),
        ({"not": ["x"]}, "where.not", "must be a map"),
        ({"model": {8: "x"}}, "where.model", "put it in quotes"),
        ({"model": {"version": {"gt": 5, "lt": 3}}}, "where.model.version", "remove one"),
        ({"model": {"tags": {"a": {"absent": True, "prefix": "x"}}}}, "where.model.tags.a", "remove one"),
        (
            {"all": [{"model": {"name": "a"}}, {"model": {"name": "b"}}]},
            "where.all[1].model.name",
            "remove one",
        ),
    ],
)
def test_what_is_wrong_is_reported_at_its_path(where, path, text):
    [(where_found, said)] = reports(where)
    assert where_found == path
    assert text in said


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({"run": {"root": "yes"}}, "write true or false without quotes"),
        ({"run": {"root": {"prefix": "t"}}}, "can never hold for run.root, which is a boolean"),
        ({"drift": {"coefficient": "0.3"}}, "write a number without quotes"),
        ({"drift": {"coefficient": {"contains": "3"}}}, "can never hold for drift.coefficient"),
        (
            {"drift": {"coefficient": [0.3, "x"]}},
            "drift.coefficient is a number, 'x' is a text: write a number without quotes",
        ),
    ],
)
def test_a_condition_fits_the_type_of_its_field(where, text):
    [(_, said)] = reports(where, ("drift.detected",))
    assert text in said


def test_a_list_holds_texts():
    [(_, text)] = reports({"deployment": {"models": 8}}, ("model.deployed",))
    assert text.startswith("deployment.models is text, 8 is a number")
    assert text.endswith('write "8"')


def test_a_name_that_belongs_to_other_events_says_which_ones_the_rule_is_on():
    [(_, text)] = reports({"drift": {"monitor": "x"}}, ("model.registered", "model.deployed"))
    assert "'drift' is not part of model.registered or model.deployed" in text


def test_no_more_than_200_problems_are_reported():
    assert len(reports({"model": {f"x{number}": 1 for number in range(300)}})) == 200


def test_everything_wrong_is_reported_at_once():
    found = reports({"model": {"nam": 1, "version": 8}, "any": [{"model": {"name": {"foo": 1}}}, 3]})
    assert [path for path, _ in found] == [
        "where.model.nam",
        "where.model.version",
        "where.any[0].model.name.foo",
        "where.any[1]",
    ]


def test_ranges_that_meet_in_one_number_are_no_contradiction():
    assert reports({"model": {"version": {"gte": 5, "lte": 5}}}) == []
    assert reports({"model": {"version": {"gt": 5, "lt": 5.5}}}) == []


def test_a_rule_on_every_event_may_ask_for_any_name():
    everything = list_names(("*",))
    assert {"model", "deployment", "run", "drift", "event", "workspace"} <= set(everything)
    assert reports({"run": {"status": "failed"}, "model": {"name": "x"}}, ("*",)) == []


def test_a_list_needs_one_element_that_holds_and_none_that_is_excluded():
    deployed = {"deployment": {"models": ["fraud:8", "k:2"]}}
    kinds = ("model.deployed",)
    assert failure({"deployment": {"models": "K:2"}}, deployed, kinds) is None
    assert failure({"deployment": {"models": {"prefix": "fraud:"}}}, deployed, kinds) is None
    assert failure({"deployment": {"models": "z"}}, deployed, kinds)
    assert failure({"deployment": {"models": {"not-in": ["k:2"]}}}, deployed, kinds)
    assert failure({"deployment": {"models": {"not-in": ["z"]}}}, deployed, kinds) is None


@settings(max_examples=300, deadline=None)
@given(found=st.data(), sent=wire_events())
def test_there_is_a_first_failure_exactly_when_it_does_not_hold(found, sent):
    function, document = sent
    kind = WIRE_KINDS[function]
    where = bind_where(found.draw(wheres((kind,))), (kind,), "where", lambda path, text: None)
    if where:
        names = parse(document).names
        assert (where.first_failure(names) is None) is where.holds(names)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["model", "name", "tags", "any", "not", "prefix", "in", "gt", "x"]),
            inner,
            max_size=3,
        )
    ),
)


@settings(deadline=None)
@given(json.filter(lambda value: isinstance(value, dict)))
def test_any_map_is_bound_or_reported(written):
    found = []
    where = bind_where(written, KINDS, "where", lambda path, text: found.append((path, text)))
    assert (where is None) is bool(found)
    assert all(path.startswith("where") and text for path, text in found)
