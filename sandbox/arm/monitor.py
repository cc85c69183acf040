"""Azure Monitor's metrics data plane: what the deployments of the online endpoints really answered.

`POST /subscriptions/{id}/metrics:getBatch` as azure-monitor-querymetrics calls it, for
RequestsPerMinute and the latencies, at a grain of a minute. A minute is one of Azure's: at a speed of 60
it lasts a second here. The clock behind the buckets runs that much faster from the moment the sandbox
started; a query's times count backwards from now, and so do the times in its answer. What is younger than
DELAY is not shown yet, as in Azure. That mirrored requests count for the deployment they are copied to is
inferred: nothing says so.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from sandbox.arm.errors import ArmError
from sandbox.arm.metric_query import (
    DEPLOYMENT,
    DIMENSIONS,
    PERCENTILES,
    REQUESTS,
    Keep,
    check,
    refused,
    sieve,
    timespan,
)
from sandbox.arm.routes import Call, Routes
from sandbox.arm.scoring import Score
from sandbox.arm.workspace import Workspace

MINUTE = 60.0
DELAY = 60.0
"""Seconds of Azure's until a request shows in the metrics; in Azure one to three minutes."""
USUAL_SERIES = 10

Buckets = dict[tuple[str, ...], dict[int, list[Score]]]


class Monitor:
    """Serves the metrics of the endpoints; `scores` are the answers, with real times."""

    def __init__(self, workspace: Workspace, scores: Sequence[Score]) -> None:
        self._id = workspace.id
        self._pace = workspace.pace
        self._region = workspace.location
        self._scores = scores
        self._began = workspace.pace.now().timestamp()

    def register(self, routes: Routes) -> None:
        """Serve the batch query."""
        path = "/subscriptions/{subscription}/metrics:getBatch"
        routes.add("POST", path, self._batch, audience="metrics")

    async def _batch(self, call: Call) -> web.Response:
        query = {name.lower(): value for name, value in call.request.query.items()}
        body = await call.body()
        ids = body.get("resourceids") if isinstance(body, dict) else None
        if not isinstance(ids, list) or not ids:
            raise refused("'resourceids' is required, a list of resource ids.")
        names = [name for name in query.get("metricnames", "").split(",") if name]
        check(query, names)
        return web.json_response({"values": [self._answer(one, query, names) for one in ids]})

    def _answer(self, resource: str, query: Mapping[str, str], names: list[str]) -> dict[str, Any]:
        now = self._pace.now()
        start, end = timespan(query, now)
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
        keep, split = sieve(query.get("filter", ""), known)
        now, start, end = times
        buckets = self._buckets(resource, (keep, split), self._minutes(now, start, end))
        ranked = sorted(buckets.items())[: int(query.get("top", USUAL_SERIES))]
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
        """When a minute began, as whoever asks now counts."""
        return now - timedelta(seconds=self._azure_time(now.timestamp()) - minute * MINUTE)


def _average(name: str, scores: list[Score]) -> float:
    if name == REQUESTS:
        return float(len(scores))
    taken = sorted(score.seconds * 1000 for score in scores)
    rank = PERCENTILES.get(name.removeprefix("RequestLatency"))
    return sum(taken) / len(taken) if rank is None else taken[min(len(taken) - 1, int(rank * len(taken)))]


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
