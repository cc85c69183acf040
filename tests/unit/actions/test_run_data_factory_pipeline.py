"""One pipeline run for each response, whatever happens to answers and attempts."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlevents.actions.action import Done, Outcome, Pending, StepContext
from mlevents.actions.run_data_factory_pipeline import action
from mlevents.actions.run_data_factory_pipeline.action import RunDataFactoryPipeline
from mlevents.errors import PermanentError, TransientError
from mlevents.services.services import Services
from tests.unit.factory_stand_in import ID, FactoryStandIn, lost, refused
from tests.unit.stand_ins import Authority, Server, services, step

PARAMETERS = {"monitor": "m", "coefficient": 0.4, "again": True, "features": ["a"]}
Reach = Callable[[FactoryStandIn], Services]


@pytest.fixture
def marked() -> FactoryStandIn:
    return FactoryStandIn({"retrain": ["monitor", "coefficient", "mlevents_response"]})


@pytest.fixture
def unmarked() -> FactoryStandIn:
    return FactoryStandIn({"retrain": ["monitor", "coefficient"]})


@pytest.fixture(params=[["mlevents_response"], []], ids=["marked", "unmarked"])
def either(request: pytest.FixtureRequest) -> FactoryStandIn:
    return FactoryStandIn({"retrain": request.param})


@pytest.fixture
def reach(cloud: ExitStack, trusted: Authority) -> Reach:
    def reaching(stand_in: FactoryStandIn) -> Services:
        server = cloud.enter_context(Server(stand_in, trusted.context).serving())
        connections = {
            "retraining": {"type": "data_factory", "id": ID},
            "chat": {"type": "apprise", "url": "json://localhost"},
        }
        return services(connections, server.url)

    return reaching


def retrain(**changes: Any) -> RunDataFactoryPipeline:
    fields = {"connection": "retraining", "pipeline": "retrain", "parameters": PARAMETERS}
    return RunDataFactoryPipeline.model_validate({**fields, **changes})


def carry(action: RunDataFactoryPipeline, context: StepContext, services: Services) -> Done:
    """Perform until done, keeping progress over transient errors as the orchestration does."""
    for _ in range(20):
        try:
            outcome: Outcome = action.perform(context, services)
        except TransientError:
            continue
        if isinstance(outcome, Done):
            return outcome
        context = replace(context, progress=outcome.progress)
    raise AssertionError("never done")


def test_the_documented_step_loads() -> None:
    assert action.__doc__
    written = yaml.safe_load(action.__doc__.split("```")[1].removeprefix("yaml"))
    assert written["uses"] == "run_data_factory_pipeline"
    assert RunDataFactoryPipeline.model_validate(written["with"]).wait


def test_unfitting_parameters_are_refused_when_rules_load() -> None:
    with pytest.raises(ValidationError, match="filled in by mlevents"):
        retrain(parameters={"mlevents_response": "x"})
    with pytest.raises(ValidationError, match="is not a valid name for a Data Factory pipeline"):
        retrain(pipeline="../other")
    with pytest.raises(ValidationError, match="pipline"):
        retrain(pipline="retrain")


def test_the_run_gets_the_parameters_and_the_mark(reach: Reach, marked: FactoryStandIn) -> None:
    done = carry(retrain(), step(), reach(marked))
    (run,) = marked.runs
    assert run["parameters"]["mlevents_response"] == "mlevents-k"
    assert run["parameters"]["features"] == '["a"]'
    assert done.result == {"run_id": run["runId"], "pipeline": "retrain", "status": "Started"}


def test_an_undeclared_mark_is_never_sent(reach: Reach, unmarked: FactoryStandIn) -> None:
    carry(retrain(), step(), reach(unmarked))
    (run,) = unmarked.runs
    assert set(run["parameters"]) == set(PARAMETERS)


def test_without_parameters_a_run_starts_all_the_same(reach: Reach, unmarked: FactoryStandIn) -> None:
    carry(retrain(parameters={}), step(), reach(unmarked))
    assert [run["parameters"] for run in unmarked.runs] == [{}]


def test_every_attempt_performed_twice_starts_one_run(reach: Reach, either: FactoryStandIn) -> None:
    reached, context, action = reach(either), step(), retrain(wait=True)
    either.statuses = ["Queued", "InProgress", "Succeeded"]
    outcome: Outcome = Pending("", 0.0)
    while isinstance(outcome, Pending):
        action.perform(context, reached)
        outcome = action.perform(context, reached)
        if isinstance(outcome, Pending):
            context = replace(context, progress=outcome.progress)
    assert [run["runId"] for run in either.runs] == [outcome.result["run_id"]]


def test_a_lost_answer_starts_no_second_run(reach: Reach, either: FactoryStandIn) -> None:
    either.instead["created"] = lost
    done = carry(retrain(), step(), reach(either))
    assert [run["runId"] for run in either.runs] == [done.result["run_id"]]
    assert "found run" in done.detail


def test_throttling_starts_one_run_in_the_end(reach: Reach, either: FactoryStandIn) -> None:
    either.instead["create"] = refused(429, "TooManyRequests", Retry_After="1")
    either.instead["query"] = refused(503, "ServiceUnavailable")
    carry(retrain(), step(), reach(either))
    assert len(either.runs) == 1


def test_two_responses_in_a_row_with_equal_parameters_start_two_runs(
    reach: Reach, either: FactoryStandIn
) -> None:
    reached = reach(either)
    first = carry(retrain(), step(key="mlevents-a"), reached)
    second = carry(retrain(), step(key="mlevents-b"), reached)
    assert first.result["run_id"] != second.result["run_id"]
    assert len(either.runs) == 2


def test_two_responses_at_once_start_two_runs_where_the_mark_is_declared(
    reach: Reach, marked: FactoryStandIn
) -> None:
    reached, action = reach(marked), retrain()
    contexts = [step(key=f"mlevents-{name}") for name in "ab"]
    intents = [action.perform(context, reached) for context in contexts]
    for context, intent in zip(contexts, intents, strict=True):
        assert isinstance(intent, Pending)
        action.perform(replace(context, progress=intent.progress), reached)
    assert len(marked.runs) == 2


def test_without_the_mark_a_run_that_may_be_shared_is_said_to_be(
    reach: Reach, unmarked: FactoryStandIn
) -> None:
    reached, action = reach(unmarked), retrain()
    intent = action.perform(step(), reached)
    assert isinstance(intent, Pending)
    other = unmarked.add(PARAMETERS)
    done = action.perform(step(progress=intent.progress), reached)
    assert isinstance(done, Done)
    assert done.result["run_id"] == other
    assert "another response may share it" in done.detail


@pytest.mark.parametrize(
    ("parameters", "invoked_by"),
    [(PARAMETERS | {"coefficient": 0.5}, "Manual"), (PARAMETERS, "ScheduleTrigger"), ({}, "Manual")],
)
def test_a_run_of_somebody_else_is_not_taken_for_ours(
    reach: Reach, unmarked: FactoryStandIn, parameters: dict[str, Any], invoked_by: str
) -> None:
    reached, action = reach(unmarked), retrain()
    intent = action.perform(step(), reached)
    assert isinstance(intent, Pending)
    other = unmarked.add(parameters, invoked_by)
    done = action.perform(step(progress=intent.progress), reached)
    assert isinstance(done, Done)
    assert done.result["run_id"] != other


def test_a_long_run_that_only_changes_is_not_taken_for_ours(reach: Reach, unmarked: FactoryStandIn) -> None:
    unmarked.now -= timedelta(hours=3)
    old = unmarked.add(PARAMETERS)
    unmarked.now += timedelta(hours=3)
    reached, action = reach(unmarked), retrain()
    intent = action.perform(step(), reached)
    assert isinstance(intent, Pending)
    unmarked.runs[0]["lastUpdated"] = unmarked.now.isoformat()
    done = action.perform(step(progress=intent.progress), reached)
    assert isinstance(done, Done)
    assert done.result["run_id"] != old


def test_waiting_follows_the_run_to_its_end(reach: Reach, marked: FactoryStandIn) -> None:
    marked.statuses = ["Queued", "InProgress", "Succeeded"]
    done = carry(retrain(wait=True), step(), reach(marked))
    assert done.result["status"] == "Succeeded"


@pytest.mark.parametrize("status", ["Failed", "Cancelled"])
def test_a_run_that_ends_badly_fails_the_step_with_its_reason(
    reach: Reach, marked: FactoryStandIn, status: str
) -> None:
    marked.statuses, marked.message = [status], "Operation on target train failed"
    with pytest.raises(PermanentError, match=f"is {status}: Operation on target train failed") as caught:
        carry(retrain(wait=True), step(), reach(marked))
    assert marked.runs[0]["runId"] in str(caught.value)


def test_a_missing_pipeline_and_a_wrong_connection_are_permanent(
    reach: Reach, marked: FactoryStandIn
) -> None:
    reached = reach(marked)
    with pytest.raises(PermanentError, match="'retrian'"):
        retrain(pipeline="retrian").perform(step(), reached)
    with pytest.raises(PermanentError, match="'chat' is not a data_factory connection"):
        retrain(connection="chat").perform(step(), reached)
    assert marked.runs == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_a_value_equals_what_data_factory_shows_for_it(value: Any) -> None:
    import json

    shown = value if isinstance(value, str) else json.dumps(value)
    assert action._equal(value, shown)


def test_thousands_of_like_runs_are_remembered_by_their_beginning(
    reach: Reach, unmarked: FactoryStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "MOST_BEFORE", 5)
    for _ in range(20):
        unmarked.now += timedelta(seconds=1)
        unmarked.add(PARAMETERS)
    before = {run["runId"] for run in unmarked.runs}
    outcome = retrain().perform(step(), reach(unmarked))
    assert isinstance(outcome, Pending)
    assert len(outcome.progress["before"]) == 5
    done = carry(retrain(), step(), reach(unmarked))
    assert done.result["run_id"] not in before
    assert len(unmarked.runs) == 21
