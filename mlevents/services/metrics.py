"""Azure Monitor's metrics of an online endpoint, for each of its deployments and each minute.

The metrics are those of `Microsoft.MachineLearningServices/workspaces/onlineEndpoints`: RequestsPerMinute
with the dimensions deployment and statusCode, RequestLatency_P50 … with deployment (learn.microsoft.com,
"Supported metrics"). Their one aggregation is Average at a grain of a minute, which for RequestsPerMinute
is the number of requests. The batch API reads them, so the identity needs Monitoring Reader.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from mlevents.services.azure import PATIENCE, credential
from mlevents.services.importing import importing
from mlevents.services.sdk_errors import translated

if TYPE_CHECKING:
    from azure.monitor.querymetrics import MetricsClient

NAMESPACE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
REQUESTS = "RequestsPerMinute"
MINUTE = timedelta(minutes=1)
MOST_SERIES = 1000
"""Time series an answer may hold; Azure Monitor gives ten when not asked."""
FAULTS = frozenset({"408", "424", "429"})
"""Besides 5xx, the statuses that are the deployment's doing: 424 is how Azure ML passes a model's own
failure on, 408 and 429 a model too slow for its requests. Other 4xx are the caller's doing."""

_lock = threading.Lock()


@dataclass(slots=True)
class Minute:
    """What a deployment answered in one minute; `age` is how many seconds ago the minute began.

    `latency` maps a percentile such as `P95` to seconds.
    """

    age: float
    requests: float = 0.0
    errors: float = 0.0
    latency: dict[str, float] = field(default_factory=dict)


Value = tuple[str, Mapping[str, str], datetime, float]
"""One value: the metric's name, its dimensions in lower case, its moment, its average."""
Minutes = Mapping[str, tuple[Minute, ...]]
"""By deployment in lower case, the newest minute first; a minute without a value is left out."""


class Metrics:
    """The metrics of one region's resources."""

    def __init__(self, client: MetricsClient) -> None:
        self._client = client

    def minutes(self, endpoint_id: str, span: float, percentiles: Collection[str]) -> Minutes:
        """The last `span` seconds of an endpoint; raises PermanentError and TransientError."""
        now = datetime.now(UTC)
        found: dict[str, list[Minute]] = {}

        def minute(deployment: str, moment: datetime) -> Minute:
            """The one that began then; the answers to two queries may differ by less than half of it."""
            those, age = found.setdefault(deployment.lower(), []), (now - moment).total_seconds()
            known = [one for one in those if abs(one.age - age) < MINUTE.total_seconds() / 2]
            if not known:
                those.append(Minute(age))
            return (known or those[-1:])[0]

        def values(names: list[str], dimensions: str) -> Iterator[Value]:
            return self._values(endpoint_id, (now - timedelta(seconds=span), now), names, dimensions)

        for _, labels, moment, value in values([REQUESTS], "deployment eq '*' and statusCode eq '*'"):
            one = minute(labels.get("deployment", ""), moment)
            one.requests += value
            one.errors += value * is_fault(labels.get("statuscode", ""))
        names = [f"RequestLatency_{percentile}" for percentile in sorted(percentiles)]
        if names:
            for name, labels, moment, value in values(names, "deployment eq '*'"):
                minute(labels.get("deployment", ""), moment).latency[name.rpartition("_")[2]] = value / 1000
        return {name: tuple(sorted(those, key=lambda one: one.age)) for name, those in found.items()}

    def _values(self, endpoint_id: str, timespan: Any, names: list[str], dimensions: str) -> Iterator[Value]:
        """Each value of these metrics."""
        with translated(f"reading the metrics of {endpoint_id}"):
            results = self._client.query_resources(
                resource_ids=[endpoint_id],
                metric_namespace=NAMESPACE,
                metric_names=names,
                timespan=timespan,
                granularity=MINUTE,
                aggregations=["Average"],
                max_results=MOST_SERIES,
                filter=dimensions,
            )
        for result in results:
            for metric in result.metrics:
                for series in metric.timeseries:
                    labels = {key.lower(): str(label) for key, label in series.metadata_values.items()}
                    for point in series.data:
                        if point.average is not None:
                            yield metric.name, labels, point.timestamp, point.average


def is_fault(status: str) -> bool:
    """Whether a request that ended with this status speaks against the deployment."""
    return status.startswith("5") or status in FAULTS


def open_metrics(address: str, audience: str) -> Metrics:
    """The metrics data plane at this address, opened once."""
    with _lock:
        return _open(address.rstrip("/"), audience)


@cache
def _open(address: str, audience: str) -> Metrics:
    with importing():
        from azure.monitor.querymetrics import MetricsClient

    return Metrics(MetricsClient(address, credential(), audience=audience, **PATIENCE))
