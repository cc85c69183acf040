"""Azure Monitor's metrics of the online endpoints: what their deployments really answered.

`GET {endpoint id}/providers/Microsoft.Insights/metrics` at Resource Manager, and the batch query
`POST /subscriptions/{id}/metrics:getBatch` of the regional data plane, which asks for a right on the whole
subscription. Both serve RequestsPerMinute and the latencies at a grain of a minute. A minute is one of
Azure's: at a speed of 60 it lasts a second here. The clock behind the buckets runs that much faster from the
moment the sandbox started; a query's times count backwards from now, and so do the times in its answer. What
is younger than DELAY is not shown yet, as in Azure. That mirrored requests count for the deployment they are
copied to is inferred: nothing says so.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from sandbox.azure.errors import ArmError
from sandbox.azure.machine_learning.endpoints import COLLECTION
from sandbox.azure.machine_learning.online_state import Endpoints
from sandbox.azure.machine_learning.scores import Score
from sandbox.azure.monitor.metric_query import (
    DEPLOYMENT,
    DIMENSIONS,
    NAMESPACE,
    PERCENTILES,
    REQUESTS,
    Keep,
    bad_request,
    check_query,
    parse_filter,
    parse_number,
    parse_timespan,
    read_timespan,
)
from sandbox.azure.routes import Call, Routes
from sandbox.azure.workspace import Workspace

MINUTE = 60.0
DELAY = 60.0
"""Seconds of Azure's until a request shows in the metrics; in Azure one to three minutes."""
USUAL_SERIES = 10

Buckets = dict[tuple[str, ...], dict[int, list[Score]]]


class Monitor:
    """Serves the metrics of the endpoints; `scores` are the answers, with real times."""

    def __init__(self, workspace: Workspace, endpoints: Endpoints, scores: Sequence[Score]) -> None:
        self._id = workspace.id
        self._endpoints = endpoints
        self._pace = workspace.pace
        self._region = workspace.location
        self._scores = scores
        self._began = workspace.pace.now().timestamp()

    def register(self, routes: Routes) -> None:
        """Serve the query of one endpoint and the batch query."""
        routes.add("GET", f"{COLLECTION}/{{endpoint}}/providers/Microsoft.Insights/metrics", self._one)
        path = "/subscriptions/{subscription}/metrics:getBatch"
        routes.add("POST", path, self._batch, audience="metrics")

    async def _one(self, call: Call) -> web.Response:
        query = {name.lower().removeprefix("$"): value for name, value in call.request.query.items()}
        query = {"metricnamespace": NAMESPACE, **query, **parse_timespan(query.get("timespan", ""))}
        endpoint = self._endpoints.get(call.names["endpoint"], call.request.path)
        answer = self._answer(f"{self._id}/onlineEndpoints/{endpoint.name}", query)
        span = f"{answer.pop('starttime')}/{answer.pop('endtime')}"
        del answer["resourceid"]
        return web.json_response({"cost": 0, "timespan": span, **answer})

    async def _batch(self, call: Call) -> web.Response:
        query = {name.lower(): value for name, value in call.request.query.items()}
        body = await call.body()
        ids = body.get("resourceids") if isinstance(body, dict) else None
        if not isinstance(ids, list) or not ids:
            raise bad_request("'resourceids' is required, a list of resource ids.")
        return web.json_response({"values": [self._answer(one, query) for one in ids]})

    def _answer(self, resource: str, query: Mapping[str, str]) -> dict[str, Any]:
        names = [name for name in query.get("metricnames", "").split(",") if name]
        check_query(query, names)
        now = self._pace.now()
        start, end = read_timespan(query, now)
        metrics = [self._metric(resource, name, query, (now, start, end)) for name in names]
        return {
            "starttime": _text(start),
            "endtime": _text(end),
            "interval": query.get("interval", "PT1M"),
            "namespace": query["metricnamespace"],
            "resourceregion": self._region,
            "resourceid": resource,
            "value": metrics,
        }

    def _metric(
        self, resource: str, name: str, query: Mapping[str, str], times: tuple[datetime, datetime, datetime]
    ) -> dict[str, Any]:
        known = tuple(DIMENSIONS) if name == REQUESTS else (DEPLOYMENT,)
        keep, split = parse_filter(query.get("filter", ""), known)
        now, start, end = times
        buckets = self._buckets(resource, (keep, split), self._minutes(now, start, end))
        ranked = sorted(buckets.items())[: parse_number(query, "top", USUAL_SERIES)]
        return {
            "id": f"{resource}/providers/Microsoft.Insights/metrics/{name}",
            "type": "Microsoft.Insights/metrics",
            "name": {"value": name, "localizedValue": name},
            "displayDescription": name,
            "unit": "Count" if name == REQUESTS else "MilliSeconds",
            "timeseries": [self._series(name, split, one, now) for one in ranked],
            "errorCode": "Success",
        }

    def _series(
        self,
        name: str,
        split: tuple[str, ...],
        one: tuple[tuple[str, ...], dict[int, list[Score]]],
        now: datetime,
    ) -> dict[str, Any]:
        labels, minutes = one
        values = [
            {"name": {"value": key.lower(), "localizedValue": key.lower()}, "value": label}
            for key, label in zip(split, labels, strict=True)
        ]
        points = [
            {"timeStamp": _text(self._moment(minute, now)), "average": _average(name, scores)}
            for minute, scores in sorted(minutes.items())
        ]
        return {"metadatavalues": values, "data": points}

    def _buckets(
        self, resource: str, wanted: tuple[Keep, tuple[str, ...]], minutes: tuple[int, int, float]
    ) -> Buckets:
        keep, split = wanted
        first, last, shown = minutes
        found: Buckets = defaultdict(lambda: defaultdict(list))
        for score in self._of(resource):
            at = self._azure_time(score.time)
            if at // MINUTE < first:
                break
            if at // MINUTE <= last and at <= shown and keep(score):
                labels = tuple(DIMENSIONS[name](score) for name in split)
                found[labels][int(at // MINUTE)].append(score)
        return found

    def _of(self, resource: str) -> Iterator[Score]:
        """What an endpoint answered, the newest first."""
        place, _, endpoint = resource.rpartition("/onlineEndpoints/")
        if place.lower() != self._id.lower():
            raise ArmError(404, "ResourceNotFound", f"The resource '{resource}' was not found.")
        return (score for score in reversed(self._scores) if score.endpoint.lower() == endpoint.lower())

    def _minutes(self, now: datetime, start: datetime, end: datetime) -> tuple[int, int, float]:
        """The first and last minute of a query, and up to when anything is shown, in Azure's time."""
        azure = self._azure_time(now.timestamp())
        first = azure - (now - start).total_seconds()
        last = azure - (now - end).total_seconds()
        return math.floor(first / MINUTE), math.floor(last / MINUTE), azure - DELAY

    def _azure_time(self, real: float) -> float:
        return self._began + (real - self._began) * self._pace.speed

    def _moment(self, minute: int, now: datetime) -> datetime:
        """When a minute began, on the clock of the caller."""
        return now - timedelta(seconds=self._azure_time(now.timestamp()) - minute * MINUTE)


def _average(name: str, scores: list[Score]) -> float:
    total = sum(score.count for score in scores)
    if name == REQUESTS:
        return float(total)
    taken = sorted((score.seconds * 1000, score.count) for score in scores)
    share = PERCENTILES.get(name.removeprefix("RequestLatency"))
    if share is None:
        return sum(milliseconds * count for milliseconds, count in taken) / total
    place, passed = min(total - 1, int(share * total)), 0
    for milliseconds, count in taken:
        passed += count
        if passed > place:
            return milliseconds
    return taken[-1][0]


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
