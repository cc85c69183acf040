"""Every form in which Azure sends or documents an event becomes the same kind of Event."""

import ast
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from mlevents.errors import EventError
from mlevents.events import NAMES, Event, parse, parse_all
from mlevents.events.event_type import event_type
from tests.unit.events.event_samples import ROOT, SAMPLES, WORKSPACE, sample, wire

PUBLISHED = SAMPLES / "published"

FORMS: list[tuple[str, tuple[str, ...], str | None, dict[str, dict[str, Any]]]] = [
    (
        "model-registered-event-grid",
        ("model.registered",),
        "2026-01-17T22:23:57.535005Z",
        {
            "model": {
                "name": "kite-lift",
                "version": "3",
                "tags": {"stage": "production", "azureml.note": "kept"},
                "properties": {"origin": "lab"},
            }
        },
    ),
    (
        "model-registered-cloud-events",
        ("model.registered",),
        "2026-01-26T18:41:00.958410Z",
        {"model": {"name": "kite-lift", "version": "20", "tags": {"Area": "wind"}, "properties": {}}},
    ),
    (
        "model-registered-bare",
        ("model.registered",),
        "2026-01-26T18:41:00Z",
        {"model": {"name": "kite-lift", "version": "4", "tags": {}, "properties": {}}},
    ),
    (
        "model-deployed-event-grid",
        ("model.deployed",),
        "2026-01-23T18:20:08.882447Z",
        {
            "deployment": {
                "service": "kite-service",
                "compute_type": "AKS",
                "models": ["kite-lift:1", "kite-drag:1"],
                "tags": {"team": "aero"},
                "properties": {"size": "s"},
            }
        },
    ),
    (
        "run-completed-mixed-case",
        ("run.completed",),
        "2026-01-18T19:29:55.885603Z",
        {
            "run": {
                "id": "AutoML_11111111-2222-3333-4444-555555555555",
                "experiment": "lift-regression",
                "experiment_id": "exp-guid-1",
                "type": "automl",
                "status": "Completed",
                "tags": {"experiment_status": "ModelSelection"},
                "properties": {"num_iterations": "10"},
                "root": True,
                "monitor_breach": False,
            }
        },
    ),
    (
        "run-completed-automl-child",
        ("run.completed",),
        "2026-01-26T18:41:00.958410Z",
        {
            "run": {
                "id": "AutoML_11111111-2222-3333-4444-555555555555_5",
                "experiment": "lift-regression",
                "experiment_id": "exp-guid-1",
                "status": "Completed",
                "tags": {},
                "properties": {
                    "runTemplate": "automl_child",
                    "pipeline_spec": '{"objects": []}',
                    "run_algorithm": "LassoLars",
                },
                "root": False,
                "monitor_breach": False,
            }
        },
    ),
    (
        "run-status-changed-printed-object",
        ("run.status_changed",),
        None,
        {
            "run": {
                "id": "pipeline-run-1",
                "experiment": "nightly",
                "experiment_id": "exp-guid-2",
                "type": "azureml.PipelineRun",
                "status": "Completed",
                "tags": {"azureml.Designer": "true"},
                "properties": {"azureml.runsource": "azureml.PipelineRun", "runSource": "Designer"},
                "root": True,
                "monitor_breach": False,
            }
        },
    ),
    (
        "run-status-changed-step",
        ("run.status_changed",),
        "2026-01-26T18:41:00.123456Z",
        {
            "run": {
                "id": "step-run-1",
                "experiment": "nightly",
                "experiment_id": "exp-guid-2",
                "status": "Failed",
                "tags": {"azureml.pipelinerunid": "pipeline-run-1", "azureml.nodeid": "n1"},
                "properties": {},
                "root": False,
                "monitor_breach": False,
            }
        },
    ),
    (
        "drift-detected-event-grid",
        ("drift.detected",),
        "2026-01-20T17:08:08.467191Z",
        {
            "drift": {
                "monitor": "kite-drift",
                "run": "drift-guid-1_1571",
                "monitor_run": "drift-guid-1_1571",
                "generation": "v1",
                "coefficient": 0.8350349068479208,
                "breaches": [{"metric": "coefficient", "value": 0.8350349068479208}],
                "metric": "coefficient",
                "value": 0.8350349068479208,
                "baseline": "base-1",
                "target": "target-1",
                "window_start": "2026-01-04T00:00:00Z",
            }
        },
    ),
    (
        "drift-detected-cloud-events",
        ("drift.detected",),
        "2026-01-20T17:08:08Z",
        {
            "drift": {
                "monitor": "drift-guid-1",
                "run": "drift-guid-1_1571",
                "monitor_run": "drift-guid-1_1571",
                "generation": "v1",
                "coefficient": 1.0,
                "breaches": [{"metric": "coefficient", "value": 1.0}],
                "metric": "coefficient",
                "value": 1.0,
                "baseline": "base-1",
                "window_start": "2026-01-04T00:00:00Z",
            }
        },
    ),
]


@pytest.mark.parametrize(("name", "kinds", "moment", "names"), FORMS, ids=[form[0] for form in FORMS])
def test_a_form_gives_its_names(name, kinds, moment, names):
    event = parse(sample(name))
    about = {root: said for root, said in event.names.items() if root not in ("event", "workspace")}
    assert (event.kinds, event.type, event.time, about) == (kinds, kinds[0], moment, names)
    assert event.names["event"] == {
        key: said
        for key, said in {
            "id": event.id,
            "type": event.type,
            "time": event.time,
            "subject": event.subject,
        }.items()
        if said
    }
    assert event.names["workspace"] == {
        "name": "kite-lab",
        "resource_group": "rg-kite",
        "subscription": "00000000-0000-0000-0000-00000000000a",
        "id": WORKSPACE,
    }


def test_both_schemas_of_one_deployment_give_one_event():
    assert parse(sample("model-deployed-cloud-events")) == parse(sample("model-deployed-event-grid"))


def test_text_bytes_and_object_give_the_same_event():
    text = sample("run-status-changed-breach")
    one = json.loads(text)[0]
    assert (
        parse(text)
        == parse(text.encode())
        == parse("\ufeff" + text)
        == parse(b"\xef\xbb\xbf" + text.encode())
    )
    assert parse(text) == parse(one) == parse(json.dumps(one))


def test_dead_letters_are_read_one_by_one_and_the_bad_one_is_an_error_in_its_place():
    registered, deployed, broken = parse_all(sample("dead-letter"))
    assert isinstance(registered, Event)
    assert isinstance(deployed, Event)
    assert registered.names["model"]["version"] == "5"
    assert deployed.names["deployment"]["models"] == ["kite-lift:5"]
    assert isinstance(broken, EventError)
    assert broken.where == "data"


def test_a_bare_object_and_a_python_list_are_read_by_parse_all():
    one = json.loads(sample("model-registered-bare"))
    assert parse_all(one) == parse_all([one]) == parse_all(json.dumps(one)) == [parse(one)]


def test_an_unknown_type_passes_through():
    event = parse(sample("unknown-type"))
    assert event.type == "Microsoft.EventGrid.SubscriptionValidationEvent"
    assert event.kinds == ()
    assert event.names == {
        "event": {"id": "evt-validate-1", "type": event.type, "time": "2026-01-28T04:23:35.198177Z"},
        "workspace": {
            "subscription": "00000000-0000-0000-0000-00000000000a",
            "id": "/subscriptions/00000000-0000-0000-0000-00000000000a",
        },
    }


@pytest.mark.parametrize("members", [None, 5, "text", [], {"anything": [1]}])
def test_an_unknown_type_may_carry_any_data(members):
    assert parse(wire("x", members, eventType="Contoso.Kites.Flown")).kinds == ()


def test_a_known_type_is_recognised_in_any_casing():
    event = parse(wire("ModelRegistered", {}, eventType="MICROSOFT.machinelearningservices.modelregistered"))
    assert event.type == "model.registered"


@pytest.mark.parametrize("fraction", ["", *("." + "123456789"[:digits] for digits in range(1, 10))])
@pytest.mark.parametrize("offset", ["Z", "z", "", "+00:00", "-00:00"])
@pytest.mark.parametrize("separator", ["T", "t", " "])
def test_a_time_is_utc_in_microseconds(fraction, offset, separator):
    event = parse(wire("ModelRegistered", {}, eventTime=f"2026-01-02{separator}03:04:05{fraction}{offset}"))
    microseconds = fraction[1:7].ljust(6, "0")
    assert event.time == "2026-01-02T03:04:05" + (f".{microseconds}Z" if fraction else "Z")


def test_a_time_without_offset_is_utc_wherever_the_app_runs(monkeypatch):
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert (
            parse(wire("ModelRegistered", {}, eventTime="2026-01-02T03:04:05")).time == "2026-01-02T03:04:05Z"
        )
    time.tzset()


def test_a_time_with_an_offset_is_moved_to_utc():
    assert parse(wire("ModelRegistered", {}, eventTime="2026-01-02T01:30:00.5+02:00")).time == (
        "2026-01-01T23:30:00.500000Z"
    )


@pytest.mark.parametrize(
    ("sent", "version"),
    [
        ("8", "8"),
        (20, "20"),
        (1.0, "1.0"),
        (1, "1"),
        ("1.10", "1.10"),
        (True, "true"),
        ("", "7"),
        (None, "7"),
    ],
)
def test_a_model_version_is_natural_text_and_falls_back_to_the_subject(sent, version):
    event = parse(wire("ModelRegistered", {"modelVersion": sent}, subject="models/kite-lift:7"))
    assert event.names["model"]["version"] == version


V1_DRIFT = {"monitor": "d1", "run": "r1", "monitor_run": "r1"}


@pytest.mark.parametrize(
    ("type_name", "subject", "root", "names"),
    [
        ("ModelRegistered", "models/kite:1.0", "model", {"name": "kite", "version": "1.0"}),
        ("ModelRegistered", "/Models/kite", "model", {"name": "kite"}),
        ("ModelDeployed", "endpoints/svc", "deployment", {"service": "svc", "models": []}),
        ("RunCompleted", "experiments/g1/runs/r1", "run", {"id": "r1", "experiment_id": "g1"}),
        ("DatasetDriftDetected", "datadrift/d1/run/r1", "drift", V1_DRIFT),
        ("DatasetDriftDetected", "datadrifts/d1/runs/r1", "drift", V1_DRIFT),
    ],
)
def test_the_subject_answers_for_missing_data(type_name, subject, root, names):
    found = parse(wire(type_name, {}, subject=subject)).names[root]
    always = {"tags", "properties", "root", "monitor_breach", "status", "generation"}
    assert {name: said for name, said in found.items() if name not in always} == names


@pytest.mark.parametrize(
    ("sent", "text"),
    [("x", "x"), ("", ""), (5, "5"), (0.5, "0.5"), (False, "false"), ({"a": [1, "é"]}, '{"a":[1,"é"]}')],
)
def test_a_tag_that_is_no_text_becomes_its_json_text(sent, text):
    assert parse(wire("ModelRegistered", {"modelTags": {"t": sent, "n": None}})).names["model"]["tags"] == {
        "t": text
    }


@pytest.mark.parametrize(
    ("sent", "tags"),
    [
        ({"RUNTAGS": None, "RunTags": {"a": "1"}, "runTags": {"a": "2"}}, {"a": "1"}),
        ({"RunTags": {"a": "1"}, "runTags": {"b": "2"}}, {"a": "1", "b": "2"}),
        ({"RunTags": {"a": None, "b": ""}, "runTags": {"a": "1", "b": "2"}}, {"a": "1", "b": "2"}),
        ({"RunTags": {"a": "1"}, "runTags": None}, {"a": "1"}),
        ({"RunTags": "", "runTags": {"a": "1"}}, {"a": "1"}),
        ({"RunTags": {"Stage": "1"}, "runTags": {"stage": "2"}}, {"Stage": "1", "stage": "2"}),
    ],
)
def test_maps_whose_names_differ_only_in_case_are_joined(sent, tags):
    assert parse(wire("RunCompleted", sent)).names["run"]["tags"] == tags


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"ModelName": "", "modelName": "b"}, "b"),
        ({"ModelName": None, "modelName": "b"}, "b"),
        ({"ModelName": "a", "modelName": "b"}, "a"),
        ({"modelName": "a", "ModelName": None}, "a"),
    ],
)
def test_of_two_casings_the_first_that_says_something_wins(sent, name):
    assert parse(wire("ModelRegistered", sent, subject="")).names["model"]["name"] == name


def test_two_casings_of_data_are_one():
    event = wire("ModelRegistered", {"modelName": "a", "modelTags": {"x": "1"}})
    event |= {"Data": {"modelVersion": "2", "modelTags": {"y": "2"}, "ModelTags": {"z": "3"}}}
    model = parse(event).names["model"]
    assert (model["name"], model["version"]) == ("a", "2")
    assert model["tags"] == {"x": "1", "y": "2", "z": "3"}


def test_a_spelling_with_underscores_does_not_hide_the_other():
    event = wire("RunCompleted", {}, event_time=None, event_type="")
    assert parse(event).time == "2026-01-02T03:04:05Z"


def test_deeply_nested_casings_are_read_without_recursion():
    deep: dict[str, object] = {}
    for _ in range(300):
        deep = {"x": deep}
    event = wire("ModelRegistered", {"modelName": "a", "modelTags": {"k": deep}})
    event |= {"Data": {"modelTags": {"k": deep}}}
    assert parse(event).names["model"]["name"] == "a"


def test_keys_of_tags_keep_their_casing():
    tags = {"Stage": "a", "stage": "b", "azureml.Some": "c"}
    assert parse(wire("ModelRegistered", {"MODELTAGS": tags})).names["model"]["tags"] == tags


@pytest.mark.parametrize(("members", "status"), [({}, "Completed"), ({"RunStatus": "failed"}, "failed")])
def test_a_completed_run_is_completed_unless_it_says_otherwise(members, status):
    assert parse(wire("RunCompleted", members)).names["run"]["status"] == status


@pytest.mark.parametrize(("told", "status"), [({}, "Failed"), ({"runStatus": "Running"}, "Running")])
def test_a_status_beside_data_answers_for_one_missing_in_it(told, status):
    assert parse(wire("RunStatusChanged", told, runStatus="Failed")).names["run"]["status"] == status


@pytest.mark.parametrize(
    ("sent", "coefficient"),
    [(0.3, 0.3), (1, 1.0), ("0.25", 0.25), ("much", None), (True, None), ("inf", None), (10**400, None)],
)
def test_a_drift_coefficient_is_a_number_or_absent(sent, coefficient):
    drift = parse(wire("DatasetDriftDetected", {"DriftCoefficient": sent})).names["drift"]
    assert (drift.get("coefficient"), drift.get("value")) == (coefficient, coefficient)
    assert drift.get("metric") == (None if coefficient is None else "coefficient")
    assert drift.get("breaches") == (
        None if coefficient is None else [{"metric": "coefficient", "value": coefficient}]
    )


def test_a_window_that_is_no_time_stays_as_sent():
    drift = parse(wire("DatasetDriftDetected", {"startTime": "yesterday"})).names["drift"]
    assert drift["window_start"] == "yesterday"


@pytest.mark.parametrize(
    ("topic", "found"),
    [
        ("", {}),
        ("mysource", {"id": "mysource"}),
        ("/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/", {"subscription": "S", "resource_group": "R"}),
        (WORKSPACE.upper(), {"name": "KITE-LAB", "resource_group": "RG-KITE"}),
    ],
)
def test_the_workspace_has_the_parts_that_the_topic_has(topic, found):
    workspace = parse(wire("ModelRegistered", {}, topic=topic)).names["workspace"]
    assert found.items() <= workspace.items()
    assert workspace.get("id", "") == topic


def test_the_depth_is_read_from_the_tag_that_responses_leave():
    assert parse(sample("run-status-changed-breach")).depth == 2
    assert parse(sample("model-registered-event-grid")).depth == 0
    for bad in ("-1", "", "two", "²", "1.0", "9" * 10):
        assert parse(wire("ModelRegistered", {"modelTags": {"mlevents.depth": bad}})).depth == 0


def test_an_event_is_the_same_by_its_id_and_workspace_in_any_casing():
    one, other = (parse(wire("ModelRegistered", {}, topic=topic)) for topic in (WORKSPACE, WORKSPACE.upper()))
    assert one.identity("model.registered") == other.identity("model.registered")
    assert one.identity("model.registered") != parse(wire("ModelRegistered", {}, id="evt-2")).identity(
        "model.registered"
    )


def test_every_event_type_shows_an_example_that_has_all_its_names():
    for name, known in event_type.items():
        module = Path(ROOT, *known.__module__.split(".")).with_suffix(".py")
        docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
        example = re.search(r"^ +\{$.*?^ +\}$", docstring, re.MULTILINE | re.DOTALL)
        assert example, f"{module} shows no event"
        event = parse(example[0])
        assert event.kinds[0] == known.kind
        written = json.loads(example[0])
        assert written["eventType" if known.from_azure else "type"] == name
        for fields in (known.fields, *(other.fields for other in known.derived)):
            assert {root: set(event.names[root]) for root in fields} == {
                root: set(named) for root, named in fields.items()
            }


def test_names_list_what_rules_may_ask_of_each_kind():
    assert NAMES["model.registered"]["model"] == {
        "name": "text",
        "version": "text",
        "tags": "texts",
        "properties": "texts",
    }
    assert {kind: set(roots) - {"event", "workspace"} for kind, roots in NAMES.items()} == {
        "model.registered": {"model"},
        "model.tagged": {"model"},
        "model.deployed": {"deployment"},
        "run.completed": {"run"},
        "run.status_changed": {"run"},
        "drift.detected": {"drift", "run"},
    }
    assert {"coefficient", "signal", "features"} <= set(NAMES["drift.detected"]["drift"])


def test_every_captured_and_documented_event_is_understood():
    events = [event for path in sorted(PUBLISHED.glob("*.json")) for event in parse_all(path.read_bytes())]
    assert [event for event in events if isinstance(event, EventError)] == []
    known = [event for event in events if isinstance(event, Event) and event.kinds]
    assert {event.kinds[0] for event in known} == set(NAMES) - {"model.tagged"}  # mlevents publishes it
    assert all(event.names[root] for event in known for root in event.names)
