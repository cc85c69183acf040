"""Azure Monitor's metrics of an online endpoint, by deployment and minute.

The metrics are those of `Microsoft.MachineLearningServices/workspaces/onlineEndpoints`: RequestsPerMinute
with the dimensions deployment and statusCode, RequestLatency_P50 … with deployment (learn.microsoft.com,
"Supported metrics"). Their only aggregation is Average for one minute, which for RequestsPerMinute is
the number of requests. They are read through Resource Manager at the endpoint, where a role on the workspace
is sufficient; the batch API of Azure Monitor needs a role on the subscription.

The answer: https://learn.microsoft.com/rest/api/monitor/metrics/list, api-version 2024-02-01.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from mlevents.errors import TransientError

if TYPE_CHECKING:
    from mlevents.services.resource_manager import ResourceManager

METRICS_API = "2024-02-01"
METRIC_NAMESPACE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
REQUESTS_METRIC = "RequestsPerMinute"
MINUTE = timedelta(minutes=1)
LONGEST_QUERY = timedelta(days=1)
"""The longest span of one query: 1,440 minutes. A longer span needs several queries."""
MOST_SERIES = 1000
"""The most time series in one answer; Azure Monitor returns ten by default."""
FAULTS = frozenset({"408", "424", "429"})
"""Besides 5xx, the statuses that the deployment causes: 424 is a failure of the model, 408 and 429 mean
that the model is too slow. The caller causes other 4xx."""


@dataclass(slots=True)
class Minute:
    """A deployment's answers in one minute; `age` is the seconds since the minute began.

    `latency` maps a percentile such as `P95` to seconds. `unreadable` means that Azure Monitor returned a
    value that is negative or not a number: then the other values of the minute do not count.
    """

    age: float
    requests: float = 0.0
    errors: float = 0.0
    latency: dict[str, float] = field(default_factory=dict)
    unreadable: bool = False


Minutes = Mapping[str, tuple[Minute, ...]]
"""By deployment in lower case, the newest minute first; a minute without a value is omitted."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a metric; `number` is None for an invalid value.

    `labels` are its dimensions in lower case, with their values.
    """

    metric: str
    labels: Mapping[str, str]
    moment: datetime
    number: float | None

    @property
    def deployment(self) -> str:
        """The deployment's name in lower case, because Azure compares these names without case."""
        return self.labels.get("deployment", "").lower()


class Metrics:
    """The metrics of online endpoints, from Resource Manager."""

    def __init__(self, manager: ResourceManager) -> None:
        self._manager = manager

    def minutes(self, endpoint_id: str, span: float, percentiles: Collection[str]) -> Minutes:
        """The last `span` seconds of an endpoint; raises PermanentError and TransientError.

        An answer that cannot be read, or may lack a deployment, is a TransientError.
        """
        now = datetime.now(UTC)
        found: dict[str, list[Minute]] = {}
        spans = list(_spans(now - timedelta(seconds=span), now))
        names = [f"RequestLatency_{percentile}" for percentile in sorted(percentiles)]
        asked = [(REQUESTS_METRIC, "deployment eq '*' and statusCode eq '*'")]
        asked += [(",".join(names), "deployment eq '*'")] if names else []
        for metrics, dimensions in asked:
            for one in spans:
                for value in self._values(endpoint_id, one, metrics, dimensions):
                    _count(_minute(found, value, now), value)
        return {name: tuple(sorted(those, key=lambda one: one.age)) for name, those in found.items()}

    def refusal(self, endpoint_id: str) -> str | None:
        """Azure's message when the app may not read the metrics of an endpoint, which need not exist yet."""
        path = f"{endpoint_id}/providers/Microsoft.Insights/metrics"
        query = {
            "api-version": METRICS_API,
            "metricnamespace": METRIC_NAMESPACE,
            "metricnames": REQUESTS_METRIC,
        }
        return self._manager.refusal("GET", path, query, f"reading the metrics of {endpoint_id}")

    def _values(self, endpoint_id: str, span: str, metrics: str, dimensions: str) -> Iterator[Value]:
        what = f"reading the metrics of {endpoint_id}"
        query = {
            "api-version": METRICS_API,
            "metricnamespace": METRIC_NAMESPACE,
            "metricnames": metrics,
            "timespan": span,
            "interval": "PT1M",
            "aggregation": "Average",
            "top": str(MOST_SERIES),
            "$filter": dimensions,
        }
        answer = self._manager.read(f"{endpoint_id}/providers/Microsoft.Insights/metrics", query, what)
        try:
            for metric in answer["value"]:
                yield from _read(metric, what)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise TransientError(
                f"{what}: the answer cannot be read ({error!r}); it is read again"
            ) from error


def is_fault(status: str) -> bool:
    """Whether a request with this status is a fault of the deployment."""
    return status.startswith("5") or status in FAULTS


def _spans(start: datetime, end: datetime) -> Iterator[str]:
    while start < end:
        until = min(start + LONGEST_QUERY, end)
        yield f"{_text(start)}/{_text(until)}"
        start = until


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(metric: Mapping[str, Any], what: str) -> Iterator[Value]:
    """The values of one metric, without gaps; raises TransientError for a metric that Azure refuses."""
    name, series = metric["name"]["value"], metric["timeseries"]
    code = metric.get("errorCode") or "Success"
    if code != "Success":
        raise TransientError(
            f"{what}: Azure Monitor answered {code} for {name}: {metric.get('errorMessage')}"
        )
    if len(series) >= MOST_SERIES:
        raise TransientError(f"{what}: {len(series)} time series of {name}: some may be missing")
    for one in series:
        labels = {pair["name"]["value"].lower(): str(pair["value"]) for pair in one["metadatavalues"]}
        for point in one["data"]:
            if point.get("average") is not None:
                yield Value(name, labels, _moment(point["timeStamp"]), _number(point["average"]))


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _number(value: object) -> float | None:
    """The value if it is a finite number from 0 up, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and value >= 0 else None


def _minute(found: dict[str, list[Minute]], value: Value, now: datetime) -> Minute:
    """The minute of a value; the times of one minute in two queries differ by less than half a minute."""
    those, age = found.setdefault(value.deployment, []), (now - value.moment).total_seconds()
    known = [one for one in those if abs(one.age - age) < MINUTE.total_seconds() / 2]
    if not known:
        those.append(Minute(age))
    return (known or those[-1:])[0]


def _count(minute: Minute, value: Value) -> None:
    if value.number is None:
        minute.unreadable = True
    elif value.metric.casefold() == REQUESTS_METRIC.casefold():
        minute.requests += value.number
        minute.errors += value.number * is_fault(value.labels.get("statuscode", ""))
    else:
        minute.latency[value.metric.rpartition("_")[2].upper()] = value.number / 1000
