"""Data Factory over TLS, against a stand-in made after the REST reference."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
import yaml
from pydantic import ValidationError

from mlevents.errors import PermanentError, TransientError
from mlevents.services.connection import connection
from mlevents.services.data_factory import factory_client
from mlevents.services.data_factory.factory_client import DataFactory, Factory
from mlevents.services.services import Services
from mlevents.settings import Settings
from tests.unit.factory_stand_in import ID, START, FactoryStandIn, lost, refused
from tests.unit.stand_ins import Authority, Server


@pytest.fixture
def stand_in() -> FactoryStandIn:
    return FactoryStandIn({"retrain": ["monitor", "mlevents_response"]})


@pytest.fixture
def factory(stand_in: FactoryStandIn, cloud: ExitStack, trusted: Authority) -> Factory:
    server = cloud.enter_context(Server(stand_in, trusted.context).serving())
    return DataFactory(id=ID).open(Services(Settings(resource_manager=server.url)))


def test_the_documented_connection_loads() -> None:
    assert factory_client.__doc__
    written = yaml.safe_load(factory_client.__doc__.split("```")[1].removeprefix("yaml"))["connections"]
    fields = written["retraining"]
    loaded = connection.find(fields.pop("type")).model_validate(fields)
    assert isinstance(loaded, DataFactory)


@pytest.mark.parametrize("written", [ID.upper(), ID.lower(), f"{ID}/"])
def test_an_id_compares_without_case(written: str) -> None:
    assert DataFactory(id=written).id.lower() == ID.lower()


@pytest.mark.parametrize(
    "written", ["adf-retrain", f"{ID}/pipelines/x", ID.replace("Factory/", "Lake/"), ID + "\n", "/.."]
)
def test_another_id_is_refused_and_quoted(written: str) -> None:
    with pytest.raises(ValidationError, match="is not a Data Factory id"):
        DataFactory(id=written)


def test_a_pipeline_tells_its_parameters_and_the_services_time(factory: Factory) -> None:
    pipeline = factory.pipeline("retrain")
    assert pipeline.parameters == frozenset({"monitor", "mlevents_response"})
    assert pipeline.read == START + timedelta(seconds=1)


def test_a_pipeline_that_may_not_be_read_keeps_its_parameters_unknown(
    factory: Factory, stand_in: FactoryStandIn
) -> None:
    stand_in.instead["pipeline"] = refused(403, "AuthorizationFailed")
    assert factory.pipeline("retrain").parameters is None


def test_a_missing_pipeline_is_permanent_and_named(factory: Factory) -> None:
    with pytest.raises(PermanentError, match="reading pipeline 'retrian' in factory 'adf-retrain'"):
        factory.pipeline("retrian")


@pytest.mark.parametrize("name", ["..", "a/b", "a?b", "", "a\nb", "${../..}", "x" * 261])
def test_a_name_that_would_leave_its_path_is_never_sent(factory: Factory, name: str) -> None:
    with pytest.raises(PermanentError, match="is not a valid name for a Data Factory pipeline"):
        factory.create_run(name, {})


def test_a_run_is_created_listed_and_read(factory: Factory, stand_in: FactoryStandIn) -> None:
    run_id = factory.create_run("retrain", {"monitor": "m", "limits": [1, 2]})
    (listed,) = factory.runs("retrain", START - timedelta(minutes=1))
    assert (listed.id, listed.invoked_by) == (run_id, "Manual")
    assert listed.parameters == {"monitor": "m", "limits": "[1, 2]"}
    stand_in.statuses, stand_in.message = ["Failed"], "disk\n full"
    read = factory.run(run_id)
    assert (read.status, read.message) == ("Failed", "disk full")


def test_every_page_of_runs_is_read_and_the_oldest_comes_first(
    factory: Factory, stand_in: FactoryStandIn
) -> None:
    stand_in.page = 2
    ids = [factory.create_run("retrain", {}) for _ in range(5)]
    stand_in.runs.reverse()
    assert [run.id for run in factory.runs("retrain", START)] == ids


def test_throttling_is_transient_and_says_how_long(factory: Factory, stand_in: FactoryStandIn) -> None:
    stand_in.instead["create"] = refused(429, "TooManyRequests", Retry_After="7")
    with pytest.raises(TransientError, match="creating a run of pipeline 'retrain'") as caught:
        factory.create_run("retrain", {})
    assert caught.value.retry_after == 7
    assert stand_in.runs == []


def test_a_broken_connection_is_transient_and_not_repeated_by_the_sdk(
    factory: Factory, stand_in: FactoryStandIn
) -> None:
    stand_in.instead["created"] = lost
    with pytest.raises(TransientError):
        factory.create_run("retrain", {})
    assert len(stand_in.runs) == 1


def test_a_refused_request_is_permanent(factory: Factory, stand_in: FactoryStandIn) -> None:
    stand_in.instead["create"] = refused(400, "BadRequest")
    with pytest.raises(PermanentError, match="BadRequest"):
        factory.create_run("retrain", {})


def test_a_run_that_is_not_listed_yet_is_transient(factory: Factory) -> None:
    with pytest.raises(TransientError, match="does not list the run yet"):
        factory.run("11111111-0000-0000-0000-000000000000")


def test_the_link_is_known_for_the_public_cloud_alone(factory: Factory, cloud: ExitStack) -> None:
    assert factory.link("r1") is None
    public = DataFactory(id=ID).open(Services(Settings()))
    assert public.link("r 1") == f"https://adf.azure.com/en-us/monitoring/pipelineruns/r%201?factory={ID}"
