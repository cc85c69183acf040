"""Event Grid's filters, as documented."""

from typing import Any

import pytest

from sandbox.event_grid.filter_evaluation import delivers

EVENT: dict[str, Any] = {
    "id": "1",
    "subject": "models/Fraud-net:8",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
    "data": {
        "ModelName": "Fraud-net",
        "modelTags": {"stage": "Production", "none": None, "a.b": "x", "number": 8, "flag": True},
    },
}
CLOUD = {
    "id": "1",
    "source": "/t",
    "type": EVENT["eventType"],
    "subject": "s",
    "specversion": "1.0",
    "data": {},
}


@pytest.mark.parametrize(
    ("operator", "key", "operand", "delivered"),
    [
        ("StringIn", "data.modelTags.stage", ["prod", "PRODUCTION"], True),
        ("StringIn", "DATA.MODELTAGS.Stage", ["production"], True),
        ("StringIn", "data.modelName", ["fraud-net"], True),
        ("StringIn", "data.modelTags.stage", ["prod"], False),
        ("StringIn", "data.modelTags.a.b", ["x"], False),
        ("StringIn", "data.modelTags.number", ["8"], False),
        ("StringIn", "data.modelTags.gone", ["x"], False),
        ("StringNotIn", "data.modelTags.stage", ["production"], False),
        ("StringNotIn", "data.modelTags.gone", ["x"], True),
        ("StringBeginsWith", "subject", ["x", "models/fraud"], True),
        ("StringNotBeginsWith", "subject", ["models/"], False),
        ("StringEndsWith", "subject", [":8"], True),
        ("StringContains", "data.modelTags.stage", ["DUCT"], True),
        ("StringNotContains", "data.modelTags.stage", ["duct"], False),
        ("NumberIn", "data.modelTags.number", [8], True),
        ("NumberNotIn", "data.modelTags.gone", [8], True),
        ("NumberInRange", "data.modelTags.number", [[1, 8]], True),
        ("NumberNotInRange", "data.modelTags.number", [[1, 8]], False),
        ("NumberIn", "data.modelTags.flag", [1], False),
        ("IsNotNull", "data.modelTags.none", None, False),
        ("IsNullOrUndefined", "data.modelTags.none", None, True),
        ("IsNullOrUndefined", "data.modelTags.stage", None, False),
    ],
)
def test_advanced_filters(operator, key, operand, delivered):
    advanced = {"operatorType": operator, "key": key} | ({"values": operand} if operand else {})
    assert delivers({"advancedFilters": [advanced]}, EVENT) is delivered


@pytest.mark.parametrize(
    ("operator", "value", "delivered"),
    [
        ("NumberLessThan", 8, False),
        ("NumberLessThanOrEquals", 8, True),
        ("NumberGreaterThan", 7.5, True),
        ("NumberGreaterThanOrEquals", 9, False),
    ],
)
def test_comparisons_have_one_value(operator, value, delivered):
    advanced = {"operatorType": operator, "key": "data.modelTags.number", "value": value}
    assert delivers({"advancedFilters": [advanced]}, EVENT) is delivered


def test_a_truth_value_is_compared():
    advanced = {"operatorType": "BoolEquals", "key": "data.modelTags.flag", "value": True}
    assert delivers({"advancedFilters": [advanced]}, EVENT)


def test_types_are_included_by_name_in_either_schema_and_none_by_an_empty_list():
    chosen = {"includedEventTypes": [EVENT["eventType"].upper()]}
    assert delivers(chosen, EVENT)
    assert delivers(chosen, CLOUD)
    assert not delivers({"includedEventTypes": []}, EVENT)
    assert delivers({}, EVENT)


def test_the_subject_begins_and_ends_without_case():
    assert delivers({"subjectBeginsWith": "MODELS/fraud-", "subjectEndsWith": ":8"}, EVENT)
    assert not delivers({"subjectBeginsWith": "models/net"}, EVENT)


def test_a_letter_outside_ascii_never_equals_one_of_ascii():
    advanced = {"operatorType": "StringIn", "key": "subject", "values": ["s"]}
    assert delivers({"advancedFilters": [advanced]}, EVENT | {"subject": "S"})
    assert not delivers({"advancedFilters": [advanced]}, EVENT | {"subject": "\u017f"})


def test_filters_are_joined_by_and():
    hit = {"operatorType": "IsNotNull", "key": "id"}
    miss = {"operatorType": "IsNotNull", "key": "data.gone"}
    assert delivers({"advancedFilters": [hit, hit]}, EVENT)
    assert not delivers({"advancedFilters": [hit, miss]}, EVENT)
