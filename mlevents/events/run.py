"""The names of a run, which RunCompleted and RunStatusChanged share."""

import re
from dataclasses import replace

from mlevents.events.breach import has_monitor_breach
from mlevents.events.content import Content
from mlevents.events.event_type import Field, text, texts
from mlevents.events.parent_run import RUN_ID, parent_run

# Keys and their values, in lower case, that only a child run has.
CHILD_MARKS = {
    "runtemplate": "automl_child",  # a trial of AutoML (documented); HyperDrive's parent has HyperDrive
    "run_template": "automl_child",  # the same, beside the other in the documentation's example
    "azureml.runsource": "azureml.steprun",  # a step whose runType is null
}
CHILD_TYPES = frozenset({"azureml.steprun", "azureml.reusedsteprun"})
# The trials of AutoML and HyperDrive of SDK v1 are named after their parent: HD_<guid>_7.
CHILD_ID = re.compile(r"(?:AutoML|HD)_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_.", re.IGNORECASE)

RUN_TYPE = text(
    "runType",
    description="Azure's word for the kind of run, such as azureml.PipelineRun or azureml.StepRun.",
)


def is_root(content: Content) -> bool:
    """Whether nothing that the event says of this run names another run as its parent.

    A trial of an SDK v2 sweep may carry no such mark: then it counts as a root, because one alert
    too many is better than one too few.
    """
    run_id = RUN_ID.read(content) or ""
    if (RUN_TYPE.read(content) or "").lower() in CHILD_TYPES or CHILD_ID.match(run_id):
        return False
    if parent_run(content):
        return False
    for key in ("runTags", "runProperties"):
        for name, value in content.texts(key).items():
            mark = CHILD_MARKS.get(name.lower())
            if mark and mark == value.lower():
                return False
    return True


RUN_STATUS_MEANING = "The status of the run, such as Failed or Canceled, in letters of either case."

RUN = {
    "id": replace(RUN_ID, description="The id of the run, which is the name of the job in Studio."),
    "experiment": text("experimentName", description="The name of the experiment that the run belongs to."),
    "experiment_id": text(
        "experimentId",
        subject=("experiments",),
        description="The id of the experiment: a GUID. People usually compare `experiment`, the name.",
    ),
    "type": RUN_TYPE,
    "status": text("runStatus", description=RUN_STATUS_MEANING),
    "tags": texts("runTags", "The tags of the run, by key."),
    "properties": texts("runProperties", "The properties of the run, by key."),
    "root": Field(
        "boolean",
        is_root,
        description="True when no other run is its parent. Steps of a pipeline and trials have false.",
    ),
    "monitor_breach": Field(
        "boolean",
        has_monitor_breach,
        description="True when a model monitor found a breach in this run. Write false for other failures.",
    ),
}
