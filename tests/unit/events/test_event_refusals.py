"""What can never be understood is an EventError that says what, and where."""

import json
import re

import pytest

from mlevents.errors import EventError
from mlevents.events import Event, parse, parse_all
from tests.unit.events.event_samples import sample, wire

ENVELOPE = '{"id": "evt-1", "eventType": "%s", "data": %s}'
REGISTERED = "Microsoft.MachineLearningServices.ModelRegistered"


@pytest.mark.parametrize(
    ("document", "where", "says"),
    [
        ("", "1:1", "is not valid JSON"),
        ('{"id": 1,\n  oops}', "2:3", "is not valid JSON"),
        ("5", "", "an event must be an object, not 5"),
        ("[]", "", "contains 0 events"),
        ("[{}, {}]", "", "contains 2 events"),
        ("[[{}]]", "", "an event must be an object, not [{}]"),
        (b'{"id": "\xff"}', "", "byte 0xff at offset 8 is not UTF-8"),
        (ENVELOPE % (REGISTERED, '{"modelVersion": NaN}'), "", "NaN, which is not JSON"),
        (ENVELOPE % (REGISTERED, '{"modelVersion": 1e999}'), "", "'1e999', which is too large"),
        (ENVELOPE % (REGISTERED, '{"modelVersion": ' + "9" * 5000 + "}"), "", "too many digits"),
        ("[" * 200_000, "", "nested too deeply"),
        ({"eventType": REGISTERED, "data": {}}, "id", "needs id as text"),
        (wire("ModelRegistered", {}, id=" "), "id", "needs id as text"),
        (wire("ModelRegistered", {}, id={"a": 1}), "id", "{'a': 1}, not text"),
        ({"id": "evt-1", "data": {}}, "eventType", "needs eventType or type as text"),
        (
            wire("ModelRegistered", {}, eventTime="yesterday"),
            "eventTime",
            "'yesterday' is not an ISO 8601 time",
        ),
        (wire("ModelRegistered", {}, eventTime=5), "eventTime", "'5' is not an ISO 8601 time"),
        (wire("ModelRegistered", {}, eventTime="0001-01-01T00:00+09:00"), "eventTime", "an ISO 8601 time"),
        (wire("ModelRegistered", {}, subject=["a"]), "subject", "['a'], not text"),
        (wire("ModelRegistered", None), "data", "a model.registered event must contain an object, not None"),
        (wire("ModelRegistered", [{}]), "data", "not [{}]"),
        (wire("ModelRegistered", {"ModelTags": ["a"]}), "data.modelTags", "['a'], not an object"),
        (wire("ModelDeployed", {"serviceProperties": "x"}), "data.serviceProperties", "'x', not an object"),
        (wire("RunCompleted", {"runId": {"a": 1}}), "data.runId", "{'a': 1}, not text"),
        (wire("ModelRegistered", {"modelName": float("nan")}), "", "is not JSON"),
        (wire("ModelRegistered", {"modelName": object()}), "", "is not JSON"),
        (wire("ModelRegistered", {("a", "b"): 1}), "", "is not JSON"),
        (wire("ModelRegistered", {"modelVersion": 10**5000}), "", "is not JSON"),
        (5, "", "JSON text or an object, not 5"),
    ],
)
def test_what_cannot_be_understood_says_what_and_where(document, where, says):
    with pytest.raises(EventError) as caught:
        parse(document)
    assert caught.value.where == where
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "where", "point"),
    [
        ({"data": {"modelTags": {"note": "a\0b"}}}, "data.modelTags.note", "U+0000"),
        ({"data": {"modelTags": {"note": "\ud800"}}}, "data.modelTags.note", "U+D800"),
        ({"data": {"modelTags": {"azureml.note": "é\udfff"}}}, "data.modelTags.azureml.note", "U+DFFF"),
        ({"data": {"modelTags": {"k\0": "v"}}}, r"data.modelTags.k\x00", "U+0000"),
        ({"data": {"other": [1, {"deep": "\0"}]}}, "data.other[1].deep", "U+0000"),
        ({"id": "\udead"}, "id", "U+DEAD"),
        ({"eventType": "Contoso.Kites.Flown", "data": "\0"}, "data", "U+0000"),
    ],
)
def test_text_that_nothing_can_carry_is_refused_with_its_place_and_code_point(changed, where, point):
    event = wire("ModelRegistered", {}) | changed
    for document in (event, json.dumps(event), json.dumps([event])):
        with pytest.raises(EventError) as caught:
            parse(document)
        assert caught.value.where == where
        assert f"holds {point}" in str(caught.value)
        str(caught.value).encode()


def test_an_emoji_and_an_escaped_backslash_are_no_lone_surrogates():
    tags = {"mood": "🪁", "path": "\\u0000"}
    event = wire("ModelRegistered", {"modelTags": tags})
    for document in (event, json.dumps(event), json.dumps(event, ensure_ascii=False)):
        assert parse(document).names["model"]["tags"] == tags


def test_a_place_that_is_very_deep_stays_readable():
    value: object = "\0"
    for _ in range(500):
        value = {"member": value}
    with pytest.raises(EventError) as caught:
        parse(wire("ModelRegistered", value))
    assert len(caught.value.where) <= 200


def test_an_event_over_one_mebibyte_is_refused_with_size_and_limit():
    event = wire("ModelRegistered", {"modelTags": {"note": "é" * 600_000}})
    for document in (event, json.dumps(event, ensure_ascii=False), json.dumps(event).encode()):
        with pytest.raises(EventError, match=r"1,\d{3},\d{3} bytes|3,\d{3},\d{3} bytes") as caught:
            parse(document)
        assert "the limit is 1,048,576 bytes" in str(caught.value)


def test_a_large_array_of_small_events_is_read_and_a_large_event_in_it_is_an_error():
    small = [wire("ModelRegistered", {"modelTags": {"note": "n" * 500_000}}, id=f"evt-{n}") for n in range(4)]
    large = wire("ModelRegistered", {"modelTags": {"note": "n" * 1_100_000}})
    *good, bad = parse_all(json.dumps([*small, large]))
    assert [event.id for event in good if isinstance(event, Event)] == ["evt-0", "evt-1", "evt-2", "evt-3"]
    assert isinstance(bad, EventError)


def test_a_document_that_is_no_json_is_refused_whole_and_its_elements_one_by_one():
    with pytest.raises(EventError) as caught:
        parse_all('[{"id": 1},]')
    assert caught.value.where == "1:11"
    assert [type(one) for one in parse_all('["{}", 5, [], null]')] == [EventError] * 4
    assert [type(one) for one in parse_all([wire("ModelRegistered", {"x": object()})])] == [EventError]


def test_a_megabyte_of_nonsense_in_the_breach_tag_is_read_quickly():
    for nonsense in (
        "[\"'" * 100_000,
        "The signal '" * 50_000,
        '"group":"' * 50_000,
        "violating the threshold[" * 20_000,
    ):
        event = json.loads(sample("run-status-changed-breach"))[0]
        event["data"]["runTags"]["azureml_modelmonitor_threshold_breached"] = nonsense
        assert parse(event).kinds == ("run.status_changed", "drift.detected")


@pytest.mark.parametrize(
    ("type_name", "says"),
    [
        ("ModelRegistered", "the name of the model"),
        ("ModelDeployed", "the service of the deployment"),
        ("RunCompleted", "the id of the run"),
        ("RunStatusChanged", "the id of the run"),
        ("DatasetDriftDetected", "the run of the drift"),
    ],
)
def test_an_event_that_says_not_what_it_is_about_is_refused(type_name, says):
    with pytest.raises(EventError, match=re.escape(says)):
        parse(wire(type_name, {}, subject="elsewhere"))
