"""Which run is above another: what the tags and properties of a run name as its parent or root."""

from mlevents.events.content import Content
from mlevents.events.event_type import text

RUN_ID = text("runId", subject=("runs",))

# In lower case, the one that names the topmost run first. A root run may name itself in any of them.
PARENT_KEYS = dict.fromkeys(
    (
        "mlflow.rootrunid",  # read by Azure's own monitoring components to find the pipeline
        "azureml.rootrunid",  # (inferred)
        "azureml.pipelinerunid",  # a pipeline's step: in its tags (captured) or its properties (SDK v1)
        "azureml.parentrunid",  # (inferred)
        "mlflow.parentrunid",  # a nested MLflow run, a trial of a sweep
    )
)


def parent_run(content: Content) -> str | None:
    """The topmost run that this run names above itself; None when it names none."""
    run_id = RUN_ID.read(content)
    named: dict[str, str] = {}
    for member in ("runTags", "runProperties"):
        for name, value in content.texts(member).items():
            if (key := name.lower()) in PARENT_KEYS and value not in ("", run_id):
                named.setdefault(key, value)
    return next((named[key] for key in PARENT_KEYS if key in named), None) if named else None
