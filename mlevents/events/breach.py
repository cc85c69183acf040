"""The breach of a threshold that a v2 model monitor leaves as a tag on its run.

Azure's monitoring component (azureml-assets, `model_monitor_evaluate_metrics_threshold`) tags its own
run, a step of the monitor's pipeline, with the text

    The signal '<name>' has failed due to one or more features violating metric thresholds.
    The feature names and their corresponding computed metric values violating the threshold are
    ['{"group":"age","metric_value":0.4,"metric_name":"...","threshold_value":0.1}', ...]

The list is Python's way to print a list of JSON texts; `group` is the feature, and missing where a
metric has none. Every later event of the run carries the tag. Where alerts by mail are on, the run
above it, the monitor's own, gets a tag of another name for each signal (`PARENT_TAG`): it is not a second
drift, and not a failure of the run itself either.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

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

_FEATURE = re.compile(r'"(?:group|feature|feature_name)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_QUOTED = re.compile(r"""["']([^"']+)["']""")


def has_breach_tag(content: Content) -> bool:
    """Whether the run carries a monitor's breach tag that says anything."""
    return bool(content.texts("runTags").get(TAG, "").strip())


def has_monitor_breach(content: Content) -> bool:
    """Whether the run failed, if it did, because a monitor of its found a breach."""
    return has_breach_tag(content) or any(key.startswith(PARENT_TAG) for key in content.texts("runTags"))


def signal(content: Content) -> str | None:
    """The signal that failed, if the tag's text names it."""
    head, failed, _ = content.texts("runTags").get(TAG, "").partition("' has failed")
    return (failed and head.partition("signal '")[2]) or None


def features(content: Content) -> list[str] | None:
    """The features that the tag's text lists, each once, in its order; None when it cannot be read."""
    said = content.texts("runTags").get(TAG, "").partition("violating the threshold")[2]
    listing = said[said.find("[") + 1 : said.rfind("]")] if "[" in said else ""
    names = _FEATURE.findall(listing) or ([] if "{" in listing else _QUOTED.findall(listing))
    return list(dict.fromkeys(name.replace("\\'", "'") for name in names if name)) or None


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
    if drift.get("features"):
        listed = ", ".join(
            f"'{json.dumps({'group': name}, ensure_ascii=False)}'" for name in drift["features"]
        )
        said += (
            "The feature names and their corresponding computed metric values violating the threshold are \n"
            f"[{listed}]\n"
        )
    named = {MONITOR_TAG: drift["monitor"]} if drift.get("monitor") else {}
    run = {"runId": drift["run"]} if drift.get("run") else {}
    root = drift.get("monitor_run")
    above = {PIPELINE_TAG: root, ROOT_TAG: root} if root and root != drift.get("run") else {}
    return {**run, "runTags": {TAG: said, **above, **named}}


DRIFT = {
    "monitor": Field("text", monitor),
    "run": RUN_ID,
    "monitor_run": Field("text", monitor_run),
    "generation": Field("text", lambda _: "v2"),
    "signal": Field("text", signal),
    "features": Field("list", features),
}
