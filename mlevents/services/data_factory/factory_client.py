"""Azure Data Factory: start, find and follow pipeline runs.

```yaml
connections:
  retraining:
    type: data_factory
    id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain
```

REST reference: https://learn.microsoft.com/rest/api/datafactory, api-version 2018-06-01.
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, JsonValue

from mlevents.errors import PermanentError, TransientError
from mlevents.services.answer_fields import require_list, require_run_name
from mlevents.services.azure_credential import CLIENT_OPTIONS, credential
from mlevents.services.connection import Connection, SettingSource, connection
from mlevents.services.data_factory.states import Pipeline, PipelineRun, declared_parameters
from mlevents.services.finding import Finding, run_check
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import translate_errors
from mlevents.settings import PUBLIC_RESOURCE_MANAGER

if TYPE_CHECKING:
    from azure.mgmt.datafactory import DataFactoryManagementClient

FACTORY_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/\s]+)/resourceGroups/(?P<group>[-\w.()]{1,90})"
    r"/providers/Microsoft\.DataFactory/factories/(?P<factory>[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)/?",
    re.IGNORECASE,
)
PIPELINE_NAME = re.compile(r"[A-Za-z0-9_][^<>*#.%&:\\+?/\r\n]{0,259}")
"""The names that Data Factory accepts; a name that matches is safe in the path of a URL."""

SPAN = timedelta(days=7)
"""How far a search for runs reaches after its beginning; the query needs an end."""
NOT_STARTED = datetime.max.replace(tzinfo=UTC)


def _parts(factory_id: str) -> re.Match[str]:
    if parts := FACTORY_ID.fullmatch(factory_id):
        return parts
    raise ValueError(
        f"'{factory_id}' is not a Data Factory id: write /subscriptions/<id>/resourceGroups/<name>"
        "/providers/Microsoft.DataFactory/factories/<name>"
    )


class Factory:
    """One Data Factory, through the management SDK; raises PermanentError and TransientError."""

    def __init__(self, factory_id: str, resource_manager: str) -> None:
        self.id = factory_id
        parts = _parts(factory_id)
        self.name = parts["factory"]
        self._place = (parts["group"], parts["factory"])
        self._client = _client(parts["subscription"], resource_manager)
        self._public = resource_manager == PUBLIC_RESOURCE_MANAGER

    def pipeline(self, name: str) -> Pipeline:
        """Read a pipeline; without the right `factories/pipelines/read`, its parameters are unknown."""
        with import_lock():
            from azure.core.exceptions import HttpResponseError

        dates: list[str | None] = []
        required: frozenset[str] = frozenset()
        with translate_errors(f"reading {self._called(name)}"):
            try:
                found = self._client.pipelines.get(
                    *self._place,
                    name,
                    raw_response_hook=lambda r: dates.append(r.http_response.headers.get("Date")),
                )
                specified = declared_parameters(found)
                names: frozenset[str] | None = frozenset(specified)
                required = frozenset(one for one in specified if specified[one].default_value is None)
            except HttpResponseError as error:
                if error.status_code != 403:
                    raise
                names = None
        return Pipeline(_date(dates[-1:], self._called(name)), names, required)

    def check_exists(self) -> str:
        """Check that the factory exists, by a request that needs no further right; raises PermanentError."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        now = datetime.now(UTC).isoformat()
        span: Any = {"lastUpdatedAfter": now, "lastUpdatedBefore": now}
        with translate_errors(f"looking for runs in factory '{self.name}'"):
            try:
                self._client.pipeline_runs.query_by_factory(*self._place, span)
            except ResourceNotFoundError as error:
                raise PermanentError(f"the Data Factory {self.id} does not exist") from error
        return "is there"

    def runs(self, pipeline: str, since: datetime) -> list[PipelineRun]:
        """The pipeline's runs that changed since a time, the oldest first."""
        with translate_errors(f"looking for runs of {self._called(pipeline)}"):
            runs = [PipelineRun.read(found) for found in self._query(pipeline, since)]
        return sorted(runs, key=lambda run: (run.started or NOT_STARTED, run.id))

    def create_run(self, pipeline: str, parameters: Mapping[str, JsonValue]) -> str:
        """Start a run and return its id. Not idempotent: look at `runs` first."""
        with translate_errors(f"creating a run of {self._called(pipeline)}"):
            created = self._client.pipelines.create_run(*self._place, pipeline, dict(parameters) or None)
            return require_run_name(created.run_id, "runId")

    def run(self, run_id: str) -> PipelineRun:
        """The state of a run; raises TransientError for a run that the factory does not list yet."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        doing = f"reading pipeline run {run_id} in factory '{self.name}'"
        with translate_errors(doing):
            try:
                return PipelineRun.read(self._client.pipeline_runs.get(*self._place, run_id))
            except ResourceNotFoundError as error:
                raise TransientError(f"{doing}: the factory does not list the run yet") from error

    def link(self, run_id: str) -> str | None:
        """The run's page in Data Factory Studio; None outside the public cloud."""
        page = f"https://adf.azure.com/en-us/monitoring/pipelineruns/{quote(run_id, safe='')}"
        return f"{page}?factory={quote(self.id)}" if self._public else None

    def _called(self, pipeline: str) -> str:
        if not PIPELINE_NAME.fullmatch(pipeline):
            raise PermanentError(
                f"'{pipeline}' is not a valid name for a Data Factory pipeline: name one that exists"
            )
        return f"pipeline '{pipeline}' in factory '{self.name}'"

    def _query(self, pipeline: str, since: datetime) -> Iterator[Any]:
        wanted: Any = {
            "lastUpdatedAfter": since.isoformat(),
            "lastUpdatedBefore": (since + SPAN).isoformat(),
            "filters": [{"operand": "PipelineName", "operator": "Equals", "values": [pipeline]}],
        }
        while True:
            page = self._client.pipeline_runs.query_by_factory(*self._place, wanted)
            yield from require_list(page.value, "value")
            if not page.continuation_token:
                return
            wanted["continuationToken"] = page.continuation_token


@connection("data_factory")
class DataFactory(Connection):
    """A Data Factory, by its ARM id."""

    id: Annotated[str, AfterValidator(lambda text: _parts(text)[0].rstrip("/"))]
    """write the ARM id of the factory: /subscriptions/…/factories/NAME; it may contain `${env.NAME}`."""

    @property
    def resource(self) -> str:
        """The factory's ARM id."""
        return self.id

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Check that the factory exists."""
        factory = self.open(services)
        remedy = "correct `id`, or create the factory"
        yield run_check(f"factory '{factory.name}'", factory.check_exists, remedy)

    def open(self, services: SettingSource) -> Factory:
        """The factory, with the app's own identity."""
        return Factory(self.id, services.settings.resource_manager)


@cache
def _client(subscription: str, resource_manager: str) -> DataFactoryManagementClient:
    with import_lock():
        from azure.mgmt.datafactory import DataFactoryManagementClient

    return DataFactoryManagementClient(
        credential(),
        subscription,
        base_url=resource_manager,
        credential_scopes=[f"{resource_manager}/.default"],
        **CLIENT_OPTIONS,
    )


def _date(headers: list[str | None], what: str) -> datetime:
    """The service's own time; without it, runs of this attempt cannot be distinguished from earlier ones."""
    try:
        return parsedate_to_datetime("".join(header or "" for header in headers))
    except ValueError as error:
        raise TransientError(f"reading {what}: the answer has no time (header Date)") from error
