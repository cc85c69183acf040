"""Parses a query of Azure Monitor's metrics, and refuses what Azure Monitor refuses."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sandbox.azure.errors import ArmError
from sandbox.azure.machine_learning.scores import Score
from sandbox.azure.workspace import ML

NAMESPACE = f"{ML}/workspaces/onlineEndpoints"
REQUESTS = "RequestsPerMinute"
DEPLOYMENT = "deployment"
DIMENSIONS: Mapping[str, Callable[[Score], str]] = {
    DEPLOYMENT: lambda score: score.deployment,
    "statusCode": lambda score: str(score.status),
    "statusCodeClass": lambda score: f"{score.status // 100}xx",
    "modelStatusCode": lambda score: str(score.model_status),
}
PERCENTILES = {"_P50": 0.50, "_P90": 0.90, "_P95": 0.95, "_P99": 0.99}
LATENCIES = ("RequestLatency", *(f"RequestLatency{name}" for name in PERCENTILES))
CLAUSE = re.compile(r"\s*(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)

MOST_METRICS = 20

Keep = Callable[[Score], bool]


def check_query(query: Mapping[str, str], names: list[str]) -> None:
    """Refuse a query that these metrics do not support."""
    if query.get("metricnamespace", "").lower() != NAMESPACE.lower():
        raise bad_request(f"The metric namespace '{query.get('metricnamespace')}' is not {NAMESPACE}.")
    if len(names) > MOST_METRICS:
        raise bad_request(f"The request names {len(names)} metrics; the limit is {MOST_METRICS}.")
    unknown = [name for name in names if name not in (REQUESTS, *LATENCIES)]
    if unknown or not names:
        raise bad_request(f"Failed to find metric configuration for metric {', '.join(unknown) or '(none)'}.")
    if query.get("interval", "PT1M") != "PT1M":
        raise bad_request(f"Detected invalid time grain input: {query['interval']}; supported are PT1M.")
    wanted = {one.strip().lower() for one in query.get("aggregation", "average").split(",")}
    if wanted != {"average"}:
        raise bad_request(f"The aggregation '{query['aggregation']}' is not supported: Average is.")


def parse_filter(text: str, known: tuple[str, ...]) -> tuple[Keep, tuple[str, ...]]:
    """Which scores count, and by which dimensions they are split."""
    split: list[str] = []
    wanted: list[tuple[str, str, str]] = []
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else ():
        clause = CLAUSE.fullmatch(part)
        names = {name.lower(): name for name in known}
        if clause is None or clause[1].lower() not in names:
            raise bad_request(f"The filter '{text}' cannot be used; the dimensions are {', '.join(known)}.")
        split.append(names[clause[1].lower()])
        if clause[3] != "*":
            wanted.append((split[-1], clause[2].lower(), clause[3].lower()))

    def keep(score: Score) -> bool:
        return all(
            (DIMENSIONS[name](score).lower() == value) == (sign == "eq") for name, sign, value in wanted
        )

    return keep, tuple(split)


def read_timespan(query: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    """From when to when; the last hour where nothing is said."""
    end = _parsed(query.get("endtime"), now)
    return _parsed(query.get("starttime"), end - timedelta(hours=1)), end


def parse_timespan(text: str) -> dict[str, str]:
    """A `timespan`, `start/end` in ISO 8601, as the batch query names its two ends."""
    start, slash, end = text.partition("/")
    if text and not (start and slash and end):
        raise bad_request(f"The timespan '{text}' is not 'start/end' in ISO 8601.")
    return {"starttime": start, "endtime": end} if text else {}


def parse_number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    """A whole number of the query."""
    text = query.get(name, str(otherwise))
    if not text.isdigit():
        raise bad_request(f"'{name}' is '{text}': give a whole number.")
    return int(text)


def _parsed(text: str | None, otherwise: datetime) -> datetime:
    if not text:
        return otherwise
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"The time '{text}' is not in ISO 8601.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def bad_request(message: str) -> ArmError:
    """400, with this message."""
    return ArmError(400, "BadRequest", message)
