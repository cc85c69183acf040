"""The demo's scenes of drift: of a dataset monitor (v1), and of a model monitor (v2)."""

from mlevents.events import parse
from sandbox.demo.scene import Scene, check_response
from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import Stage


def start_pipeline_on_drift(on: Stage) -> Scene:
    """Version 1 of data drift starts the Data Factory pipeline, and its run is followed."""
    event = on.drift_detected("fraud-drift", 0.83)
    on.publish(event)
    return check_response(
        "Data drift (v1) is detected, with coefficient 0.83", on.settled(event_id=event["id"])
    )


def start_pipeline_once(on: Stage) -> Scene:
    """One run of a version 2 model monitor reports two signals in four events: the pipeline starts once."""
    found = [(signal, status) for signal in ("inputs", "outputs") for status in ("Finalizing", "Completed")]
    events = [on.signal_breached("monitor-1", *one) for one in found]
    for event in events:
        on.deliver("RunStatusChanged", event)
    subjects = dict.fromkeys(event["subject"] for event in events)
    responses = [one for subject in subjects for one in on.settled_or_none(subject)]
    scene = check_response("A model monitor (v2) reports two signals, in four events", responses)
    return scene.with_check(*_compare_worst_breach(on, events[0]))


def _compare_worst_breach(on: Stage, event: Json) -> tuple[str, bool]:
    """The numbers in the text of Azure's tag, and whether the pipeline got the worst of them."""
    drift = parse(event).names["drift"]
    breaches = [f"{one['metric']} of {one['feature']} {one['value']}" for one in drift["breaches"]]
    window = {"lastUpdatedAfter": "2000-01-01T00:00:00Z", "lastUpdatedBefore": "2100-01-01T00:00:00Z"}
    path = f"{on.ready['data_factory']}/queryPipelineRuns?api-version=2018-06-01"
    runs = [run["parameters"] for run in on.arm(path, "POST", window)["value"]]
    values = [run["coefficient"] for run in runs if run["monitor"] == drift["monitor"]]
    worst = f"{drift['metric']} of {drift['feature']}"
    return (
        f"breaches: {', '.join(breaches)}\nthe pipeline got the value of the worst: {worst}",
        values == [str(drift["value"])],
    )
