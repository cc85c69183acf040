"""The breach of a threshold that a v2 model monitor leaves as a tag on its run.

Azure's monitoring component (azureml-assets, `model_monitor_evaluate_metrics_threshold`) tags its own
run, a step of the monitor's pipeline, with the text

    The signal '<name>' has failed due to one or more features violating metric thresholds.
    The feature names and their corresponding computed metric values violating the threshold are
    ['{"group":"age","metric_value":0.4,"metric_name":"...","threshold_value":0.1}', ...]

`group` is the feature, and missing where a metric has none; see `mlevents.events.breach_list`. Every later
event of the run carries the tag. Where alerts by mail are on, the run above it, the monitor's own, gets a tag
of another name for each signal (`PARENT_TAG`): it is not a second drift, and not a failure of the run itself
either.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from mlevents.events.breach_list import (
    BREACHES,
    WIRE_KEYS,
    Breach,
    find_worst,
    read_breaches,
    read_features,
    write_breaches,
)
from mlevents.events.content import Content
from mlevents.events.event_type import Field
from mlevents.events.parent_run import RUN_ID, parent_run

TAG = "azureml_modelmonitor_threshold_breached"
PARENT_TAG = "azureml.modelmonitor.threshold.breached."
# Nothing documented or captured names the monitor on its run; who defines it may set this tag.
MONITOR_TAG = "monitor_name"
# What Azure sets on each step of a pipeline: the run of the whole, here the monitor's own.
PIPELINE_TAG = "azureml.pipelinerunid"
ROOT_TAG = "mlflow.rootRunId"


def has_breach_tag(content: Content) -> bool:
    """Whether the run carries a monitor's breach tag that says anything."""
    return bool(content.texts("runTags").get(TAG, "").strip())


def has_monitor_breach(content: Content) -> bool:
    """Whether the run failed, if it did, because a monitor of its found a breach."""
    for key, value in content.texts("runTags").items():
        if key.startswith(PARENT_TAG) or (key == TAG and value.strip()):
            return True
    return False


def signal(content: Content) -> str | None:
    """The signal that failed, if the tag's text names it."""
    head, failed, _ = content.texts("runTags").get(TAG, "").partition("' has failed")
    return (failed and head.partition("signal '")[2]) or None


def features(content: Content) -> list[str] | None:
    """The features that the tag's text lists, each once, in its order; None when it cannot be read."""
    return read_features(content.texts("runTags").get(TAG, "")) or None


def breaches(content: Content) -> list[Breach] | None:
    """The metrics beyond their thresholds, as far as the tag's text is whole; None where it has none."""
    return read_breaches(content.texts("runTags").get(TAG, "")) or None


def _of_worst(name: str) -> Callable[[Content], Any]:
    """How to read a field of the breach that is farthest beyond its threshold."""
    return lambda content: _find_worst(content.texts("runTags").get(TAG, "")).get(name)


@lru_cache(maxsize=4)  # several names of one event are those of its worst breach
def _find_worst(text: str) -> Breach:
    return find_worst(read_breaches(text))


def monitor(content: Content) -> str | None:
    """The best name there is: the monitor's own, else its experiment's, else its run's."""
    named = content.texts("runTags").get(MONITOR_TAG) or content.texts("runProperties").get(MONITOR_TAG)
    return named or content.text("experimentName", "experimentId", "runId", subject=("experiments", "runs"))


def monitor_run(content: Content) -> str | None:
    """The monitor's own run: the root of the step that found the breach, else that run itself."""
    return parent_run(content) or RUN_ID.read(content)


def write_members(drift: Mapping[str, Any]) -> dict[str, Any]:
    """The run and its tags that report a breach with these names, as Azure's component writes them."""
    said = "A signal has failed due to one or more features violating metric thresholds.\n"
    if drift.get("signal"):
        said = said.replace("A signal", f"The signal '{drift['signal']}'")
    if listed := _list_breaches(drift):
        said += (
            "The feature names and their corresponding computed metric values violating the threshold are \n"
            f"{write_breaches(listed)}\n"
        )
    named = {MONITOR_TAG: drift["monitor"]} if drift.get("monitor") else {}
    run = {"runId": drift["run"]} if drift.get("run") else {}
    root = drift.get("monitor_run")
    above = {PIPELINE_TAG: root, ROOT_TAG: root} if root and root != drift.get("run") else {}
    return {**run, "runTags": {TAG: said, **above, **named}}


def _list_breaches(drift: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The breaches that these names speak of: the list itself, else the worst one, and the features."""
    if drift.get("breaches"):
        return [
            {name: value for name, value in one.items() if value is not None} for one in drift["breaches"]
        ]
    worst = {name: drift[name] for name in WIRE_KEYS if drift.get(name) is not None}
    others = [name for name in drift.get("features") or () if name != worst.get("feature")]
    return [*([worst] if worst else ()), *({"feature": name} for name in others)]


DRIFT = {
    "monitor": Field(
        "text",
        monitor,
        description="The monitor: the tag `monitor_name` of its run, else the experiment, else the run.",
    ),
    "run": replace(RUN_ID, description="The run that found the drift; in v2 a step for one signal."),
    "monitor_run": Field(
        "text",
        monitor_run,
        description="The run of the complete evaluation, the same for all signals: use it in `dedupe`.",
    ),
    "generation": Field(
        "text", lambda _: "v2", description="`v1` for a dataset monitor (retired), `v2` for a model monitor."
    ),
    "signal": Field("text", signal, description="The name of the signal that failed (v2)."),
    "features": Field("list", features, description="The names of the features that drifted (v2)."),
    "breaches": Field(
        BREACHES, breaches, description="Each metric beyond its threshold; write `any: {…}` for one of them."
    ),
    **{
        name: Field(type_, _of_worst(name), description=f"Of the worst breach. {BREACHES.descriptions[name]}")
        for name, type_ in BREACHES.fields.items()
    },
}
