"""Azure Data Factory: start, find and follow pipeline runs.

```yaml
connections:
  retraining:
    type: data_factory
    id: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-data/providers/Microsoft.DataFactory/factories/adf-retrain
```

REST reference: https://learn.microsoft.com/rest/api/datafactory.
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, JsonValue

from mlevents.errors import PermanentError, TransientError
from mlevents.services.answer_fields import require_list, require_object, require_run_name
from mlevents.services.arm_client import ArmClient, check_status
from mlevents.services.connection import Connection, SettingSource, connection
from mlevents.services.data_factory.states import Pipeline, PipelineRun
from mlevents.services.finding import Finding, run_check
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import translate_errors
from mlevents.settings import PUBLIC_RESOURCE_MANAGER

FACTORIES_API = "2018-06-01"
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
    """One Data Factory, through Resource Manager; raises PermanentError and TransientError."""

    def __init__(self, factory_id: str, resource_manager: str) -> None:
        self.id = factory_id
        parts = _parts(factory_id)
        self.name = parts["factory"]
        self._path = (
            f"/subscriptions/{parts['subscription']}/resourceGroups/{parts['group']}"
            f"/providers/Microsoft.DataFactory/factories/{self.name}"
        )
        self._arm = ArmClient(resource_manager)
        self._public = resource_manager == PUBLIC_RESOURCE_MANAGER

    def pipeline(self, name: str) -> Pipeline:
        """Read a pipeline; without the right `factories/pipelines/read`, its parameters are unknown."""
        url = f"{self._arm.address}{self._path}/pipelines/{quote(name, safe='')}"
        with translate_errors(f"reading {self._called(name)}"):
            answer = self._arm.send("GET", url, params={"api-version": FACTORIES_API})
            may_read = answer.status_code != HTTPStatus.FORBIDDEN
            found = check_status(answer).json() if may_read else None
            read = _parse_date(answer.headers.get("Date"), self._called(name))
            return Pipeline.parse(found, read) if may_read else Pipeline(read, None)

    def check_exists(self) -> str:
        """Check that the factory exists, by a request that needs no further right; raises PermanentError."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        now = datetime.now(UTC).isoformat()
        span = {"lastUpdatedAfter": now, "lastUpdatedBefore": now}
        with translate_errors(f"looking for runs in factory '{self.name}'"):
            try:
                self._arm.post(f"{self._path}/queryPipelineRuns", FACTORIES_API, span)
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
            path = f"{self._path}/pipelines/{quote(pipeline, safe='')}/createRun"
            created = self._arm.post(path, FACTORIES_API, dict(parameters) or None)
            return require_run_name(created.get("runId"), "runId")

    def run(self, run_id: str) -> PipelineRun:
        """The state of a run; raises TransientError for a run that the factory does not list yet."""
        with import_lock():
            from azure.core.exceptions import ResourceNotFoundError

        doing = f"reading pipeline run {run_id} in factory '{self.name}'"
        with translate_errors(doing):
            try:
                url = f"{self._arm.address}{self._path}/pipelineruns/{quote(run_id, safe='')}"
                return PipelineRun.read(self._arm.get(url, {"api-version": FACTORIES_API}))
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

    def _query(self, pipeline: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        wanted: dict[str, Any] = {
            "lastUpdatedAfter": since.isoformat(),
            "lastUpdatedBefore": (since + SPAN).isoformat(),
            "filters": [{"operand": "PipelineName", "operator": "Equals", "values": [pipeline]}],
        }
        while True:
            page = self._arm.post(f"{self._path}/queryPipelineRuns", FACTORIES_API, wanted)
            yield from (
                require_object(one, "an element of the list")
                for one in require_list(page.get("value"), "value")
            )
            if not page.get("continuationToken"):
                return
            wanted["continuationToken"] = page["continuationToken"]


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


def _parse_date(header: str | None, what: str) -> datetime:
    """The service's own time; without it, runs of this attempt cannot be distinguished from earlier ones."""
    try:
        return parsedate_to_datetime(header or "")
    except ValueError as error:
        raise TransientError(f"reading {what}: the answer has no time (header Date)") from error
