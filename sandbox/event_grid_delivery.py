"""One subscription of the topic: filtering, delivery over HTTP, retries and dead letters.

The retry schedule, what is never retried and the shortest waits by status are those of Event Grid's
documentation ("Event Grid message delivery and retry"); waits are divided by the sandbox's speed, the
30 seconds to answer are not.
"""

import io
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.event_grid_filter import delivers
from sandbox.event_grid_schema import Event, content, dead, moment, versions
from sandbox.pace import Pace

SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200)
SHORTEST = {401: 300, 404: 300, 408: 120, 503: 30}
NEVER_AGAIN = {
    400: "UndeliverableDueToHttpBadRequest",
    403: "UndeliverableDueToHttpForbidden",
    413: "UndeliverableDueToHttpRequestEntityTooLarge",
}
"""What is not tried again, and a dead letter's reason for it (inferred: no list is documented)."""
OUTCOMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "TimedOut",
    413: "PayloadTooLarge",
    503: "Busy",
}
TIMED_OUT, NO_CONNECTION = 0, -1
ANSWER_WITHIN = ClientTimeout(total=30)
log = logging.getLogger(__name__)


class HandshakeError(Exception):
    """The endpoint did not validate the subscription."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When Event Grid gives up: after so many attempts, or so many seconds."""

    attempts: int = 30
    seconds: float = 24 * 60 * 60


@dataclass
class Subscription:
    """One function's subscription, with its filter as Event Grid is told it."""

    name: str
    endpoint: str
    filter: Mapping[str, Any]
    policy: RetryPolicy = RetryPolicy()
    dead_letters: bool = True
    labels: tuple[str, ...] = ()
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("delivered", "dropped", "failed", "pending", "dead"), 0)
    )

    def wants(self, event: Event) -> bool:
        """Whether the event passes the filter."""
        return delivers(self.filter, event)

    def shown(self) -> dict[str, Any]:
        """The subscription with what became of the events so far."""
        return {"name": self.name, "endpoint": self.endpoint, "filter": dict(self.filter), **self.counts}


class Courier:
    """Delivers events to subscriptions; `dead_letters` holds what could not be delivered."""

    def __init__(self, pace: Pace, folder: Path | None = None) -> None:
        self.dead_letters: list[Event] = []
        self._pace = pace
        self._folder = folder
        self._session: ClientSession | None = None

    async def start(self) -> None:
        """Open the connections that deliveries go over."""
        self._session = ClientSession(timeout=ANSWER_WITHIN)

    async def stop(self) -> None:
        """Close them."""
        if self._session is not None:
            await self._session.close()

    async def introduce(self, subscription: Subscription, topic: str) -> None:
        """The validation handshake; raises HandshakeError."""
        code = str(uuid.uuid4())
        event = {
            "id": str(uuid.uuid4()),
            "topic": topic,
            "subject": "",
            "data": {"validationCode": code},
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": moment(self._pace.now()),
            "metadataVersion": "1",
            "dataVersion": "2",
        }
        status, text = await self._post(subscription, event, "SubscriptionValidation", 0)
        if status != 200 or code not in text:
            raise HandshakeError(
                f"'{subscription.endpoint}' answered the validation of the subscription "
                f"'{subscription.name}' with {status}: {text[:300] or 'nothing'}"
            )

    async def deliver(self, subscription: Subscription, event: Event) -> None:
        """Deliver one event, and again until it is taken or becomes a dead letter."""
        published = self._pace.now()
        attempts, waited = 0, 0.0
        while True:
            attempts += 1
            tried = self._pace.now()
            status, _ = await self._post(subscription, event, "Notification", attempts - 1)
            if 200 <= status <= 204:
                subscription.counts["delivered"] += 1
                return
            subscription.counts["failed"] += 1
            wait = max(SCHEDULE[min(attempts, len(SCHEDULE)) - 1], SHORTEST.get(status, 0))
            reason = _give_up(subscription.policy, status, attempts, waited + wait)
            if reason:
                outcome = _outcome(status)
                self._bury(
                    subscription,
                    dead(event, reason, attempts, outcome, moment(published), moment(tried)),
                    tried,
                )
                return
            waited += wait
            await self._pace.sleep(wait)

    async def _post(self, subscription: Subscription, event: Event, kind: str, count: int) -> tuple[int, str]:
        """The endpoint's status and body."""
        assert self._session is not None
        body, media = content(event)
        headers = {
            "Content-Type": f"{media}; charset=utf-8",
            "aeg-event-type": kind,
            "aeg-subscription-name": subscription.name.upper(),
            "aeg-delivery-count": str(count),
            **versions(event),
        }
        try:
            async with self._session.post(
                subscription.endpoint, data=io.BytesIO(body.encode()), headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await answer.text(errors="replace")
        except TimeoutError:
            return TIMED_OUT, "no answer within 30 seconds"
        except ClientError as error:
            return NO_CONNECTION, str(error)

    def _bury(self, subscription: Subscription, letter: Event, tried: datetime) -> None:
        subscription.counts["dead"] += 1
        if not subscription.dead_letters:
            return
        self.dead_letters.append(letter)
        log.warning("Event Grid gave up on event '%s' for '%s'", letter.get("id"), subscription.name)
        if self._folder is not None:
            hour = Path(
                subscription.name.upper(), *map(str, (tried.year, tried.month, tried.day, tried.hour))
            )
            (self._folder / hour).mkdir(parents=True, exist_ok=True)
            (self._folder / hour / f"{uuid.uuid4()}.json").write_text(json.dumps([letter]), encoding="utf-8")


def _give_up(policy: RetryPolicy, status: int, attempts: int, seconds: float) -> str | None:
    if status in NEVER_AGAIN:
        return NEVER_AGAIN[status]
    if attempts >= policy.attempts:
        return "MaxDeliveryAttemptsExceeded"
    return "TimeToLiveExceeded" if seconds > policy.seconds else None


def _outcome(status: int) -> str:
    return {TIMED_OUT: "TimedOut", NO_CONNECTION: "SocketError"}.get(
        status, OUTCOMES.get(status, "GenericError")
    )
