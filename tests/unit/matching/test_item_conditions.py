"""`any` and `all` with a map at a list: conditions on one of its items, or on each."""

import pytest

from mlevents.matching.match_trace import TraceLine, trace_conditions
from mlevents.matching.satisfiability import find_impossible_condition
from mlevents.matching.where import bind_where
from tests.unit.matching.where_samples import refuse

DRIFT, DEPLOYED = ("drift.detected",), ("model.deployed",)


def breach(feature, metric, value, threshold=0.1):
    return {"feature": feature, "metric": metric, "value": value, "threshold": threshold}


FAR = breach("age", "JensenShannonDistance", 0.41)
NEAR = breach("size", "JensenShannonDistance", 0.29)
NEARER = breach("city", "jensenshannondistance", 0.3)
OTHER = breach("pay", "PearsonsChiSquaredTest", 0.9, 0.95)
FAR_DISTANCE = {"metric": "JensenShannonDistance", "value": {"gt": 0.3}}


def bind(where, kinds=DRIFT):
    bound = bind_where(where, kinds, "where", refuse)
    assert bound
    return bound


def on_breaches(condition):
    return bind({"drift": {"breaches": condition}})


def drift(*breaches):
    return {"drift": {"breaches": list(breaches)} if breaches else {}}


def holds(condition, *breaches):
    return on_breaches(condition).holds(drift(*breaches))


@pytest.mark.parametrize(
    ("condition", "breaches", "expected"),
    [
        ({"any": FAR_DISTANCE}, [OTHER, FAR], True),
        ({"any": FAR_DISTANCE}, [OTHER, NEAR], False),  # 0.9 is of another metric: one item must be both
        ({"any": FAR_DISTANCE}, [], False),
        ({"all": {"metric": "JensenShannonDistance"}}, [FAR, NEAR], True),
        ({"all": {"metric": "JensenShannonDistance"}}, [FAR, OTHER], False),
        ({"all": {"metric": {"not-in": ["x"]}}}, [], False),
        ({"not": {"any": FAR_DISTANCE}}, [OTHER, NEAR], True),
        ({"not": {"any": FAR_DISTANCE}}, [], True),
        ({"any": FAR_DISTANCE, "all": {"value": {"lt": 0.5}}}, [FAR, NEAR], True),
        ({"any": FAR_DISTANCE, "all": {"value": {"lt": 0.5}}}, [FAR, OTHER], False),
        ({"any": [{"any": FAR_DISTANCE}, {"any": {"feature": "pay"}}]}, [OTHER], True),
        ({"any": {"any": [FAR_DISTANCE, {"feature": "pay"}]}}, [OTHER], True),
        ({"any": {"not": {"feature": "age"}}}, [FAR], False),
        ({"any": {"value": {"any": [{"gt": 0.8}, {"lt": 0.2}]}}}, [FAR, OTHER], True),
        ({"any": {"threshold": {"absent": True}}}, [FAR], False),
        ({"any": {"threshold": {"absent": True}}}, [FAR, {"feature": "x"}], True),
        ({"present": True}, [FAR], True),
        ({"present": True}, [], False),
        ({"absent": True}, [], True),
        ({"absent": True}, [FAR], False),
    ],
)
def test_items_are_asked_one_by_one(condition, breaches, expected):
    assert holds(condition, *breaches) is expected


@pytest.mark.parametrize(
    ("condition", "models", "expected"),
    [
        ({"any": {"prefix": "fraud:"}}, ["fraud:8", "k:2"], True),
        ({"all": {"prefix": "fraud:"}}, ["fraud:8", "k:2"], False),
        ({"all": {"prefix": "fraud:"}}, ["fraud:8", "fraud:2"], True),
        ({"all": {"prefix": "fraud:"}}, [], False),
        ({"any": {"prefix": "fraud:", "suffix": ":2"}}, ["fraud:8", "k:2"], False),
        ({"prefix": "fraud:", "suffix": ":2"}, ["fraud:8", "k:2"], True),
        ({"any": {"not-in": ["k:2"]}}, ["fraud:8", "k:2"], True),
        ({"any": {"any": [{"prefix": "x"}, "K:2"]}}, ["fraud:8", "k:2"], True),
        ({"any": ["x", {"prefix": "k"}]}, ["fraud:8", "k:2"], True),  # a list: alternatives, as everywhere
    ],
)
def test_a_list_of_texts_is_read_the_same_way(condition, models, expected):
    where = bind({"deployment": {"models": condition}}, DEPLOYED)
    assert where.holds({"deployment": {"models": models}}) is expected


@pytest.mark.parametrize(
    ("condition", "breaches", "found"),
    [
        ({"any": FAR_DISTANCE}, [OTHER, NEAR], NEAR),
        ({"any": FAR_DISTANCE}, [breach("a", "JensenShannonDistance", 0.1), NEAR, NEARER], NEARER),
        ({"any": FAR_DISTANCE}, [breach("a", "x", 0.1), OTHER], OTHER),
        ({"any": {"feature": "x"}}, [OTHER, FAR], OTHER),
        ({"any": FAR_DISTANCE}, [], None),
        ({"all": {"value": {"lt": 0.5}}}, [FAR, OTHER, OTHER | {"value": 0.8}], OTHER),
        ({"all": {"value": {"lt": 0.5}}}, [], None),
    ],
)
def test_the_reason_is_the_item_that_decides(condition, breaches, found):
    failed = on_breaches(condition).first_failure(drift(*breaches))
    assert failed
    assert (failed.path, failed.wanted, failed.found) == ("where.drift.breaches", condition, found)


def test_the_trace_shows_the_nearest_item_with_its_conditions():
    where = on_breaches({"any": FAR_DISTANCE})
    item = [
        TraceLine(2, "metric", True, "JensenShannonDistance", "JensenShannonDistance"),
        TraceLine(2, "value", False, {"gt": 0.3}, 0.29),
    ]
    assert list(trace_conditions(where, drift(OTHER, NEAR))) == [
        TraceLine(0, "drift"),
        TraceLine(1, "breaches, one of 2 items, the nearest", False, None, NEAR),
        *item,
    ]
    assert next(line for line in trace_conditions(where, drift(NEAR, FAR)) if line.depth == 1) == TraceLine(
        1, "breaches, one of 2 items", True, None, FAR
    )
    assert list(trace_conditions(where, drift()))[1:] == [TraceLine(1, "breaches, one of 0 items", False)]


def test_the_trace_of_every_item_shows_the_first_that_fails():
    where = bind({"deployment": {"models": {"all": {"prefix": "fraud:"}}}}, DEPLOYED)
    assert list(trace_conditions(where, {"deployment": {"models": ["fraud:8", "k:2"]}})) == [
        TraceLine(0, "deployment"),
        TraceLine(1, "models, each of 2 items, except", False, None, "k:2"),
        TraceLine(2, "item", False, {"prefix": "fraud:"}, "k:2"),
    ]


def reports(where, kinds=DRIFT):
    found = []
    assert bind_where(where, kinds, "rules[0].where", lambda path, text: found.append((path, text))) is None
    return found


@pytest.mark.parametrize(
    ("condition", "path", "text"),
    [
        ({"metric": "x"}, ".metric", "drift.breaches is a list of items with feature, metric, value, "),
        ("x", "", "write `any: {…}` for conditions on one item, or `all: {…}` for conditions on each"),
        (["x"], "", "write `any: {…}`"),
        ({"contains": "x"}, ".contains", "write `any: {…}`"),
        ({"not": {"metric": "x"}}, ".not.metric", "write `any: {…}`"),
        ({}, "", "is empty: write `any` or `all` with a map"),
        ({"any": {}}, ".any", "is empty: write names such as feature, metric, threshold, value"),
        ({"any": {"metrik": "x"}}, ".any.metrik", "unknown name 'metrik' (did you mean 'metric'?)"),
        ({"any": {"model": {"name": "x"}}}, ".any.model", "unknown name 'model'"),
        ({"any": {"value": "0.3"}}, ".any.value", "write a number without quotes"),
        ({"any": {"metric": {"prefx": "x"}}}, ".any.metric.prefx", "unknown operator 'prefx'"),
        ({"any": {"any": {"metric": "x"}}}, ".any.any", "must be a list of maps"),
        ({"any": "x"}, ".any", "must be a list of maps"),
        ({"all": {"value": {"gt": 5, "lt": 3}}}, ".all.value", "no value of value can be"),
        ({"any": {"any": [{"metric": "a"}, {"metrc": "b"}]}}, ".any.any[1].metrc", "mean 'metric'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_condition_on_items_is_reported_at_its_path(condition, path, text):
    [(found, said)] = reports({"drift": {"breaches": condition}})
    assert found == "rules[0].where.drift.breaches" + path
    assert text in said


def test_a_map_for_the_alternatives_of_a_field_that_is_no_list_is_a_mistake():
    [(path, said)] = reports({"drift": {"value": {"any": {"gt": 0.3}}}})
    assert (path, "must be a list of maps" in said) == ("rules[0].where.drift.value.any", True)


def test_a_contradiction_on_one_item_of_texts_is_a_mistake():
    [(path, said)] = reports({"deployment": {"models": {"any": {"prefix": "a", "equals": "b"}}}}, DEPLOYED)
    assert path == "rules[0].where.deployment.models.any"
    assert said.startswith("no value of an item can be")


def test_several_conditions_on_one_list_are_no_contradiction_unless_one_is_the_others_opposite():
    any_metric = {"any": {"metric": "Accuracy"}}
    both = {"breaches": {**any_metric, "all": {"value": {"lt": 0.5}}}}
    assert list(find_impossible_condition(bind({"drift": both}), DRIFT)) == []
    never = bind({"drift": {"breaches": any_metric, "not": {"breaches": any_metric}}})
    assert [path for path, _ in find_impossible_condition(never, DRIFT)] == ["where.drift.not"]


def test_names_that_no_event_has_beside_an_item_are_told():
    kinds = ("model.registered", "drift.detected")
    where = bind({"model": {"name": "x"}, "drift": {"breaches": {"any": {"value": {"gt": 0.3}}}}}, kinds)
    [(path, said)] = find_impossible_condition(where, kinds)
    assert path == "where.drift.breaches"
    assert said.startswith("no event has both model.name and drift.breaches as required")
