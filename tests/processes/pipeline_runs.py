"""The runs of a sandbox's Data Factory."""

from sandbox.event_grid.event_factory import Json
from sandbox.sandbox_process import Stage


def pipeline_runs(stage: Stage) -> list[Json]:
    """Every run of the factory, as Data Factory itself lists them."""
    period = {"lastUpdatedAfter": "2000-01-01T00:00:00Z", "lastUpdatedBefore": "2100-01-01T00:00:00Z"}
    path = f"{stage.ready['data_factory']}/queryPipelineRuns?api-version=2018-06-01"
    runs: list[Json] = stage.arm(path, "POST", period)["value"]
    return runs
