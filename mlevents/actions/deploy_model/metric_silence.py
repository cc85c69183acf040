"""Missing metrics: too few requests to judge a deployment, or expected requests that did not arrive."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlevents.actions.deploy_model.metric_totals import sum_minutes
from mlevents.duration import format_duration
from mlevents.services.metrics import Minute

LATE = 300.0
"""Seconds: Azure Monitor shows a minute after one to three minutes; older values are late."""
GAPS = 5.0
"""A pause this many times longer than the mean interval between requests is not a coincidence."""
EXPECTED = 5.0
"""Expected requests: the probability that none of this many arrives is less than 1 %."""
SECONDS_A_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """The new deployment's share in a phase: its requests for each request of the others, and the duration.

    `ratio` is 0.11 for 10 % of the live requests, 0.1 for a mirror of 10 %; `span` in seconds.
    """

    ratio: float = 1.0
    span: float | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Why there is no verdict yet; `scarce` when there are only too few requests."""

    words: str
    scarce: bool


def find_silences(
    needed: int, own: Sequence[Minute], others: Sequence[Minute], exposure: Exposure
) -> Iterator[Silence]:
    """Each reason why the minutes of the new deployment are not sufficient for a verdict."""
    own, others = _with_requests(own), _with_requests(others)
    requests = sum_minutes([own], None).requests
    heard = min((minute.age for minute in own), default=None)
    if requests < needed:
        yield Silence(f"{requests:g} of {needed} requests", scarce=True)
    if heard is None and not others:
        yield Silence("no metrics yet", scarce=True)
        return
    span = exposure.span or max(minute.age for minute in (*own, *others)) + SECONDS_A_MINUTE
    quiet = span if heard is None else heard
    expected = sum_minutes([others], quiet).requests * exposure.ratio
    if heard is not None and quiet > max(LATE, GAPS * span / requests):
        yield Silence(
            f"the metrics are late: the newest is {quiet / SECONDS_A_MINUTE:.0f} min old", scarce=False
        )
    elif expected >= EXPECTED and (heard is None or quiet > LATE):
        missing = f"about {expected:.0f} requests were expected"
        yield Silence(f"no request for {format_duration(quiet)}; {missing}", scarce=False)
    elif heard is None and not needed:
        yield Silence("no request yet", scarce=True)


def _with_requests(minutes: Sequence[Minute]) -> list[Minute]:
    return [minute for minute in minutes if minute.requests]
