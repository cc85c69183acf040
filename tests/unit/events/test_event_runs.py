"""Whose child a run is, and what a monitor's breach tells."""

import pytest

from mlevents.events import parse
from mlevents.events.breach import TAG
from tests.unit.events.event_samples import WORKSPACE, run_event, sample, wire

GUID = "11111111-2222-3333-4444-555555555555"
WIND = {"feature": "wind", "metric": "JensenShannonDistance", "value": 0.4, "threshold": 0.1}
BREACH = (
    "The signal 'inputs' has failed due to one or more features violating metric thresholds.\n"
    "The feature names and their corresponding computed metric values violating the threshold are \n"
)


@pytest.mark.parametrize(
    ("tags", "properties", "members"),
    [
        ({"azureml.pipelinerunid": "p1"}, None, {}),
        (None, {"azureml.pipelinerunid": "p1"}, {}),
        ({"mlflow.parentRunId": "p1"}, None, {}),
        ({"mlflow.rootRunId": "p1"}, None, {}),
        (None, {"azureml.rootRunId": "p1"}, {}),
        (None, {"runTemplate": "automl_child"}, {}),
        (None, {"run_template": "AutoML_Child"}, {}),
        (None, {"azureml.runsource": "azureml.StepRun"}, {}),
        (None, None, {"runType": "azureml.StepRun"}),
        (None, None, {"runType": "azureml.ReusedStepRun"}),
        (None, None, {"runId": f"HD_{GUID}_7"}),
        (None, None, {"runId": f"AutoML_{GUID}_setup"}),
    ],
)
def test_a_run_that_names_a_parent_is_no_root(tags, properties, members):
    assert run_event(tags, properties, **members).names["run"]["root"] is False


@pytest.mark.parametrize(
    ("tags", "properties", "members"),
    [
        (None, None, {}),
        ({"azureml.pipelinerunid": "r1"}, None, {}),
        ({"mlflow.rootRunId": "r1"}, {"azureml.rootRunId": "r1"}, {}),
        ({"azureml.pipelinerunid": ""}, None, {}),
        ({"azureml.pipeline": "published-1"}, {"best_child_run_id": f"HD_{GUID}_7"}, {}),
        (None, {"runTemplate": "HyperDrive", "azureml.runsource": "hyperdrive"}, {"runId": f"HD_{GUID}"}),
        (None, {"azureml.runsource": "azureml.PipelineRun"}, {"runType": "azureml.PipelineRun"}),
        ({"hyperparameters": "{}"}, None, {"runType": None}),
    ],
)
def test_a_run_that_names_no_other_run_is_a_root(tags, properties, members):
    assert run_event(tags, properties, **members).names["run"]["root"] is True


def test_a_breach_is_a_status_change_and_a_drift():
    event = parse(sample("run-status-changed-breach"))
    assert event.kinds == ("run.status_changed", "drift.detected")
    assert event.type == "run.status_changed"
    assert event.names["drift"] == {
        "monitor": "kite-monitor",
        "run": "evaluate-1",
        "monitor_run": "monitor-1",
        "generation": "v2",
        "signal": "kite-inputs",
        "features": ["wind", "pilot's age"],
        "breaches": [WIND, WIND | {"feature": "pilot's age", "value": 0.3}],
        **WIND,
    }
    assert event.names["run"]["monitor_breach"] is True
    assert event.names["run"]["root"] is False


def test_later_events_of_a_breached_run_are_the_same_drift_and_another_status_change():
    first, later = (
        parse(
            wire(
                "RunStatusChanged", {"runId": "r1", "runStatus": status, "runTags": {TAG: BREACH}}, id=status
            )
        )
        for status in ("Running", "Failed")
    )
    assert first.identity("drift.detected") == later.identity("drift.detected")
    assert first.identity("run.status_changed") != later.identity("run.status_changed")


@pytest.mark.parametrize(
    "changed",
    [
        {"topic": WORKSPACE + "2"},
        {"data": {"runId": "r2", "runTags": {TAG: BREACH}}},
        {"data": {"runId": "r1", "runTags": {TAG: BREACH.replace("inputs", "outputs")}}},
    ],
)
def test_another_workspace_run_or_signal_is_another_drift(changed):
    event = wire("RunStatusChanged", {"runId": "r1", "runTags": {TAG: BREACH}})
    assert parse(event).identity("drift.detected") != parse(event | changed).identity("drift.detected")


@pytest.mark.parametrize(
    ("tags", "properties", "found"),
    [
        ({}, {}, "r1"),
        ({"azureml.pipelinerunid": "m1"}, {}, "m1"),
        ({}, {"azureml.pipelinerunid": "m1"}, "m1"),
        ({"mlflow.rootRunId": "m1", "azureml.pipelinerunid": "p1"}, {}, "m1"),
        ({"azureml.pipelinerunid": "p1"}, {"mlflow.rootRunId": "m1"}, "m1"),
        ({"MLFLOW.ROOTRUNID": "m1"}, {}, "m1"),
        ({"mlflow.parentRunId": "p1", "azureml.rootRunId": "m1"}, {}, "m1"),
        ({"mlflow.rootRunId": "r1"}, {}, "r1"),
        ({"mlflow.rootRunId": ""}, {"mlflow.parentRunId": "p1"}, "p1"),
    ],
)
def test_the_monitors_run_is_the_root_that_the_step_names(tags, properties, found):
    drift = run_event({TAG: BREACH, **tags}, properties).names["drift"]
    assert (drift["run"], drift["monitor_run"]) == ("r1", found)


def test_two_events_of_v1_drift_are_two_drifts():
    one, two = (parse(wire("DatasetDriftDetected", {"runId": "r1"}, id=id_)) for id_ in ("a", "b"))
    assert one.identity("drift.detected") != two.identity("drift.detected")


def test_a_completed_run_with_the_tag_is_marked_but_no_second_drift():
    event = parse(wire("RunCompleted", {"runId": "r1", "runTags": {TAG: BREACH}}))
    assert event.kinds == ("run.completed",)
    assert event.names["run"]["monitor_breach"] is True
    assert "drift" not in event.names


@pytest.mark.parametrize("tags", [None, {}, {TAG: ""}, {TAG: " \n"}, {TAG: None}, {TAG.upper(): BREACH}])
def test_a_run_without_the_tag_is_no_breach(tags):
    event = run_event(tags)
    assert event.kinds == ("run.status_changed",)
    assert event.names["run"]["monitor_breach"] is False


@pytest.mark.parametrize(
    ("listing", "features"),
    [
        ('[\'{"group":"a","metric_value":1.0}\', \'{"group":"b"}\', \'{"group":"a"}\']\n', ["a", "b"]),
        ('[{"feature_name": "a"}, {"feature": "b"}]', ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ('["a"]', ["a"]),
        ('[\'{"metric_value":4.6,"metric_name":"m","threshold_value":5.6}\']', None),
        ("[]", None),
        ("[", None),
        ("a and b", None),
        ("", None),
    ],
)
def test_features_are_read_or_left_out(listing, features):
    drift = run_event({TAG: BREACH + listing}).names["drift"]
    assert drift["signal"] == "inputs"
    assert drift.get("features") == features


@pytest.mark.parametrize(
    "odd", ["yes", "signal '", "' has failed", "The signal '' has failed", "🪁", "[[[{{{"]
)
def test_odd_breach_text_is_a_drift_all_the_same(odd):
    drift = run_event({TAG: odd}).names["drift"]
    assert drift == {"monitor": "nightly", "run": "r1", "monitor_run": "r1", "generation": "v2"}


@pytest.mark.parametrize(
    ("tags", "properties", "members", "monitor"),
    [
        ({"monitor_name": "mine"}, {"monitor_name": "other"}, {}, "mine"),
        ({}, {"monitor_name": "mine"}, {}, "mine"),
        ({}, {}, {}, "nightly"),
        ({}, {}, {"experimentName": None, "experimentId": "e1"}, "e1"),
        ({}, {}, {"experimentName": None}, "r1"),
    ],
)
def test_a_monitor_has_the_best_name_there_is(tags, properties, members, monitor):
    event = run_event({TAG: BREACH, **tags}, properties, **members)
    assert event.names["drift"]["monitor"] == monitor


def test_a_monitor_whose_step_found_a_breach_is_no_failed_run_and_no_second_drift():
    tags = {"azureml.modelmonitor.threshold.breached.amounts": "1"}
    event = parse(_with_tags(tags))
    assert event.kinds == ("run.status_changed",)
    assert event.names["run"]["monitor_breach"] is True


def _with_tags(tags):
    return {
        "id": "e1",
        "eventType": "Microsoft.MachineLearningServices.RunStatusChanged",
        "subject": "experiments/x/runs/r",
        "data": {"runId": "r", "runStatus": "Failed", "runTags": tags},
    }
