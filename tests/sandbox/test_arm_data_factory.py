"""Data Factory, through the real azure-mgmt-datafactory over TLS."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.azure.identity import OWNER
from tests.sandbox.arm_server import serving, until

GROUP, FACTORY = "rg-data", "adf-retrain"


@pytest.fixture
def factory(server, monkeypatch):
    server.settings(monkeypatch, OWNER)
    return server.data_factory_client()


def start(factory: Any, pipeline: str = "retrain", **parameters: Any) -> str:
    return str(factory.pipelines.create_run(GROUP, FACTORY, pipeline, parameters=parameters).run_id)


def finished(factory: Any, run: str) -> Any:
    def ended() -> Any:
        found = factory.pipeline_runs.get(GROUP, FACTORY, run)
        return found if found.run_end else None

    return until(ended)


def query(factory: Any, *filters: Any, **window: datetime) -> list[Any]:
    now = datetime.now(UTC)
    found = factory.pipeline_runs.query_by_factory(
        GROUP,
        FACTORY,
        {
            "lastUpdatedAfter": window.get("after", now - timedelta(hours=1)).isoformat(),
            "lastUpdatedBefore": window.get("before", now + timedelta(hours=1)).isoformat(),
            "filters": list(filters),
        },
    )
    return list(found.value)


def where(operand: str, operator: str, *values: str) -> dict[str, Any]:
    return {"operand": operand, "operator": operator, "values": list(values)}


def test_a_run_goes_from_queued_to_succeeded(factory) -> None:
    run = start(factory, monitor="m", coefficient=0.4)
    assert factory.pipeline_runs.get(GROUP, FACTORY, run).status in ("Queued", "InProgress")
    ended = finished(factory, run)
    assert (ended.status, ended.pipeline_name) == ("Succeeded", "retrain")
    assert ended.parameters == {"monitor": "m", "coefficient": "0.4"}
    assert ended.duration_in_ms is not None


def test_every_post_is_a_run_of_its_own(factory) -> None:
    assert start(factory) != start(factory)


def test_defaults_fill_in_and_a_missing_value_is_refused(server, factory) -> None:
    from azure.core.exceptions import HttpResponseError

    path = f"{server.manager.factory_id}/pipelines/strict"
    properties = {"parameters": {"when": {"type": "String"}, "why": {"type": "String", "defaultValue": "d"}}}
    assert server.call("PUT", path, json={"properties": properties}).status_code == 200
    run = start(factory, "strict", when="now")
    assert factory.pipeline_runs.get(GROUP, FACTORY, run).parameters == {"when": "now", "why": "d"}
    with pytest.raises(HttpResponseError, match="'when' has no value"):
        start(factory, "strict")
    bad = {"properties": {"parameters": {"when": {"type": "Date"}}}}
    assert server.call("PUT", path, json=bad).status_code == 400


def test_missing_pipelines_and_runs_are_404(factory) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError) as missing:
        start(factory, "nothing")
    assert missing.value.error
    assert missing.value.error.code == "PipelineNotFound"
    with pytest.raises(ResourceNotFoundError):
        factory.pipeline_runs.get(GROUP, FACTORY, "9c7695b0-0000-0000-0000-000000000000")
    with pytest.raises(ResourceNotFoundError):
        factory.factories.get(GROUP, "elsewhere")


def test_a_run_fails_on_request(server, factory) -> None:
    server.fault(match="POST .*/createRun", fail_operation={"code": "2011", "message": "no cluster"})
    ended = finished(factory, start(factory))
    assert ended.status == "Failed"
    assert "no cluster" in ended.message


def test_runs_are_found_by_pipeline_status_and_time(factory) -> None:
    before = datetime.now(UTC)
    run = start(factory, monitor="found")
    finished(factory, run)

    def ids(*filters: Any, **window: datetime) -> list[str]:
        return [found.run_id for found in query(factory, *filters, **window)]

    mine = where("PipelineName", "Equals", "retrain")
    assert run in ids(mine, where("Status", "In", "Succeeded", "Failed"))
    assert run not in ids(mine, where("Status", "NotEquals", "Succeeded"))
    assert run not in ids(where("PipelineName", "NotIn", "retrain"))
    assert run in ids(mine, after=before)
    assert run not in ids(mine, before=before)


def test_a_query_that_data_factory_refuses(server) -> None:
    path = f"{server.manager.factory_id}/queryPipelineRuns"
    window = {"lastUpdatedAfter": "2026-01-01T00:00:00Z", "lastUpdatedBefore": "2027-01-01T00:00:00Z"}
    for body in (
        {},
        {**window, "lastUpdatedAfter": "yesterday"},
        {**window, "filters": [where("ActivityName", "Equals", "x")]},
        {**window, "filters": [where("Status", "Like", "x")]},
        {**window, "filters": [where("Status", "In")]},
    ):
        assert server.call("POST", path, json=body).status_code == 400


def test_a_long_answer_is_continued(server) -> None:
    path = f"{server.manager.factory_id}"
    for _ in range(101):
        server.call("POST", f"{path}/pipelines/retrain/createRun")
    window = {"lastUpdatedAfter": "2020-01-01T00:00:00Z", "lastUpdatedBefore": "2099-01-01T00:00:00Z"}
    first = server.call("POST", f"{path}/queryPipelineRuns", json=window).json()
    second = server.call(
        "POST", f"{path}/queryPipelineRuns", json={**window, "continuationToken": first["continuationToken"]}
    ).json()
    assert len(first["value"]) == 100
    assert second["value"]
    assert not {run["runId"] for run in first["value"]} & {run["runId"] for run in second["value"]}


def test_a_run_is_cancelled(tmp_path) -> None:
    with serving(tmp_path, speed=20) as server:
        path = server.manager.factory_id
        run = server.call("POST", f"{path}/pipelines/retrain/createRun").json()["runId"]
        assert server.call("POST", f"{path}/pipelineruns/{run}/cancel").status_code == 200

        def status() -> str:
            return str(server.call("GET", f"{path}/pipelineruns/{run}").json()["status"])

        assert status() == "Canceling"
        until(lambda: status() == "Cancelled")


def test_a_recovery_belongs_to_the_run_that_it_repeats(factory) -> None:
    run = start(factory, monitor="again")
    again = factory.pipelines.create_run(
        GROUP, FACTORY, "retrain", reference_pipeline_run_id=run, is_recovery=True
    ).run_id
    found = factory.pipeline_runs.get(GROUP, FACTORY, again)
    assert (found.run_group_id, found.parameters["monitor"]) == (run, "again")
