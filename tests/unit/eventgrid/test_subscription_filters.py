"""The compiled filters, rule by rule: what they say, and what they let through besides."""

import pytest

from mlevents.eventgrid.field_map import filter_keys
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.events import NAMES, parse
from mlevents.events.event_functions import function_of, functions
from mlevents.events.event_type import event_type
from tests.unit.matching.where_samples import PREFIX, SUBJECTS, file_of, rule_of

DRIFT = ("drift.detected",)
RUN = ("run.status_changed",)


def compiled(function, *rules):
    """The filter of one function as JSON, and the paths that it widens."""
    one = compile_filters(file_of(*rules).rules, "narrow")[function].to_json()
    return one, [(widened["rule"], widened["path"]) for widened in one["widened"]]


def clauses(function, *rules):
    """The advanced filters of one function."""
    return [tuple(one.values()) for one in compiled(function, *rules)[0]["advancedFilters"]]


def test_the_functions_are_those_of_the_app():
    names = {"ModelRegistered", "ModelDeployed", "RunCompleted", "RunStatusChanged", "DatasetDriftDetected"}
    assert set(compile_filters([], "safe")) == names


def test_a_rule_on_models_compiles_exactly():
    tags = {
        "stage": ["production", "prod"],
        "hold": {"absent": True},
        "by": {"present": True},
        "x": {"not-in": "y"},
    }
    one, widened = compiled(
        "ModelRegistered", rule_of({"model": {"name": {"prefix": "fraud-"}, "tags": tags}})
    )
    assert one["includedEventTypes"] == [PREFIX + "ModelRegistered"]
    assert one["subjectBeginsWith"] == "models/fraud-"
    assert one["advancedFilters"] == [
        {"operatorType": "StringIn", "key": "data.modelTags.stage", "values": ["production", "prod"]},
        {"operatorType": "IsNullOrUndefined", "key": "data.modelTags.hold"},
        {"operatorType": "IsNotNull", "key": "data.modelTags.by"},
        {"operatorType": "StringNotIn", "key": "data.modelTags.x", "values": ["y"]},
    ]
    assert widened == []


def test_a_models_name_is_told_by_its_subject():
    assert (
        compiled("ModelRegistered", rule_of({"model": {"name": "net"}}))[0]["subjectBeginsWith"]
        == "models/net:"
    )
    several = rule_of({"model": {"name": ["a", "b"]}})
    assert clauses("ModelRegistered", several) == [
        ("StringBeginsWith", "subject", ["models/a:", "models/b:"])
    ]
    assert compiled("ModelRegistered", several)[1] == []


def test_real_numbers_are_compared():
    assert clauses("DatasetDriftDetected", rule_of({"drift": {"coefficient": {"gte": 0.3}}}, DRIFT)) == [
        ("NumberGreaterThanOrEquals", "data.driftCoefficient", 0.3)
    ]
    assert clauses(
        "DatasetDriftDetected", rule_of({"drift": {"coefficient": {"between": [0.3, 1]}}}, DRIFT)
    ) == [("NumberInRange", "data.driftCoefficient", [[0.3, 1]])]


@pytest.mark.parametrize(
    ("condition", "clause"),
    [
        ({"gte": 0.9}, ("IsNotNull", "data.modelTags.t")),
        ({"glob": "prod-*"}, ("StringBeginsWith", "data.modelTags.t", ["prod-"])),
        ({"glob": "*-eu"}, ("IsNotNull", "data.modelTags.t")),
        ({"matches": "a.*"}, ("IsNotNull", "data.modelTags.t")),
        ({"version": ">=2"}, ("IsNotNull", "data.modelTags.t")),
        ("true", ("IsNotNull", "data.modelTags.t")),
        ("8", ("IsNotNull", "data.modelTags.t")),
    ],
)
def test_what_event_grid_cannot_say_is_widened(condition, clause):
    rule = rule_of({"model": {"tags": {"t": condition}}})
    assert clauses("ModelRegistered", rule) == [clause]
    assert compiled("ModelRegistered", rule)[1] == [("r", "where.model.tags.t")]


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ({"model": {"tags": {"a.b": "x"}}}, "where.model.tags.a.b"),
        ({"model": {"version": "8"}}, "where.model.version"),
        ({"model": {"name": {"suffix": "net"}}}, "where.model.name"),
        ({"any": [{"model": {"tags": {"a": "x"}}}]}, "where.any"),
        ({"not": {"model": {"tags": {"a": "x"}}}}, "where.not"),
        ({"workspace": {"name": "ml"}}, "where.workspace.name"),
    ],
)
def test_what_has_no_key_of_its_own_is_left_to_the_rule(where, path):
    one, widened = compiled("ModelRegistered", rule_of(where))
    assert (one["advancedFilters"], one["subjectBeginsWith"], widened) == ([], "", [("r", path)])


def test_several_rules_share_what_all_of_them_want():
    first = rule_of({"run": {"status": "failed", "tags": {"a": "x"}}}, RUN, name="first")
    second = rule_of(
        {"run": {"status": ["canceled", "Failed"], "tags": {"a": {"prefix": "y"}}}}, RUN, name="second"
    )
    assert clauses("RunStatusChanged", first, second) == [
        ("StringIn", "data.runStatus", ["failed", "canceled"]),
        ("IsNotNull", "data.runTags.a"),
    ]
    _, widened = compiled("RunStatusChanged", first, second)
    assert widened == [
        ("first", "where.run.status"),
        ("first", "where.run.tags.a"),
        ("second", "where.run.tags.a"),
    ]


def test_a_rule_without_conditions_opens_the_filter():
    first, second = (
        rule_of({"run": {"status": "failed"}}, RUN, name="first"),
        rule_of(None, ("*",), name="second"),
    )
    assert clauses("RunStatusChanged", first, second) == []
    assert compiled("RunStatusChanged", first, second)[1] == [("first", "where.run.status")]


def test_a_function_that_no_rule_needs_includes_no_type():
    one = {"includedEventTypes": [], "subjectBeginsWith": "", "advancedFilters": [], "widened": []}
    assert compiled("RunCompleted", rule_of({"model": {"name": "x"}}))[0] == one
    assert compiled("ModelRegistered", rule_of({"model": {"name": "x"}}, mode="disabled"))[0] == one


def test_a_rule_that_cannot_match_a_type_does_not_open_its_filter():
    rule = rule_of({"model": {"name": "x"}}, ("*",))
    assert compiled("ModelRegistered", rule)[0]["includedEventTypes"]
    assert not compiled("RunCompleted", rule)[0]["includedEventTypes"]


def test_drift_of_both_generations_is_let_through():
    rule = rule_of(None, DRIFT)
    assert compiled("DatasetDriftDetected", rule)[0]["includedEventTypes"] == [
        PREFIX + "DatasetDriftDetected"
    ]
    assert clauses("RunStatusChanged", rule) == [
        ("IsNotNull", "data.runTags.azureml_modelmonitor_threshold_breached")
    ]


def test_a_condition_on_items_is_widened_and_leaves_the_sign_of_a_breach():
    rule = rule_of({"drift": {"breaches": {"any": {"metric": "m", "value": {"gt": 0.3}}}}}, DRIFT)
    assert clauses("RunStatusChanged", rule) == [
        ("IsNotNull", "data.runTags.azureml_modelmonitor_threshold_breached")
    ]
    assert compiled("RunStatusChanged", rule)[1] == [("r", "where.drift.breaches")]


def test_the_least_selective_clauses_go_first_when_there_are_too_many():
    tags = {f"t{number}": "x" for number in range(24)} | {
        f"p{number}": {"present": True} for number in range(5)
    }
    one, widened = compiled("ModelRegistered", rule_of({"model": {"tags": tags}}))
    assert len(one["advancedFilters"]) == 25
    assert [path for _, path in widened] == [f"where.model.tags.p{number}" for number in range(1, 5)]


@pytest.mark.parametrize("values", [[f"v{number}" for number in range(26)], ["x" * 513]])
def test_values_beyond_the_limits_become_presence(values):
    rule = rule_of({"model": {"tags": {"a": values}}})
    assert clauses("ModelRegistered", rule) == [("IsNotNull", "data.modelTags.a")]
    assert compiled("ModelRegistered", rule)[1] == [("r", "where.model.tags.a")]


def test_many_names_become_the_head_that_they_share():
    rule = rule_of({"model": {"name": [f"fraud-{number}" for number in range(30)]}})
    assert compiled("ModelRegistered", rule)[0]["subjectBeginsWith"] == "models/fraud-"


WIRED = [
    (function, name, key)
    for function, known in functions().items()
    for name, key in filter_keys(known).items()
]


@pytest.mark.parametrize(("function", "name", "key"), WIRED)
def test_a_key_of_the_wire_answers_alone_for_its_name(function, name, key):
    root, field = name.split(".")
    kind = NAMES[functions()[function].kind][root][field]
    value = {"texts": {"a": "x"}, "number": 0.5, "text": "x"}[str(kind)]
    sent = {"id": "1", "subject": SUBJECTS[function], "eventType": PREFIX + function}
    member = key.removeprefix("data.")
    assert parse(sent | {"data": {member: value}}).names[root][field] == value
    assert not parse(sent | {"data": {}}).names[root].get(field)


def test_names_with_a_second_source_are_never_filtered_on():
    wired = {(function, name) for function, name, _ in WIRED}
    assert ("RunStatusChanged", "run.status") in wired
    assert ("RunCompleted", "run.status") not in wired  # Completed where the event has none
    assert not [name for _, name in wired if name in ("run.id", "model.name", "run.root", "drift.monitor")]


def test_a_type_in_any_case_finds_its_function():
    assert function_of("microsoft.machinelearningservices.RUNCOMPLETED") == "RunCompleted"
    assert function_of("Microsoft.Storage.BlobCreated") is None


def test_two_event_types_never_share_a_function(monkeypatch):
    other = type("Other", (functions()["RunCompleted"],), {"function": "runcompleted"})
    monkeypatch.setitem(event_type._elements, "Contoso.Other", other)
    with pytest.raises(ValueError, match=r"Contoso.Other .* name one function"):
        functions()
