"""One subscription of the topic: filtering, delivery over HTTP, retries and dead letters.

Waits are divided by the sandbox's speed, the 30 seconds to answer are not; see event_grid_retry.py and
event_grid_probation.py for how long they are.
"""

import io
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.event_grid.event_schemas import Event, content, dead_letter, moment, versions
from sandbox.event_grid.filter_evaluation import find_rejection
from sandbox.event_grid.probation import Probation
from sandbox.event_grid.publication_journal import DEAD, DELIVERED, DeliveryRecord
from sandbox.event_grid.retry_policy import (
    BEFORE_DEAD_LETTER,
    NO_CONNECTION,
    PROBATION,
    TIMED_OUT,
    RetryPolicy,
    outcome_of,
)
from sandbox.event_grid.written_blob import WrittenBlob
from sandbox.pace import Pace

ANSWER_WITHIN = ClientTimeout(total=30)
log = logging.getLogger(__name__)


class HandshakeError(Exception):
    """The endpoint did not validate the subscription."""


@dataclass
class Subscription:
    """One function's subscription, with its filter as Event Grid receives it."""

    name: str
    endpoint: str
    filter: Mapping[str, Any]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    dead_letters: bool = True
    labels: tuple[str, ...] = ()
    function: str = ""
    probation: Probation = field(default_factory=Probation)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("delivered", "dropped", "failed", "pending", "dead"), 0)
    )

    def find_rejection(self, event: Event) -> str | None:
        """Which events the filter takes, if not this one; None if it passes."""
        return find_rejection(self.filter, event)

    def to_json(self) -> dict[str, Any]:
        """The subscription with what became of the events so far."""
        return {"name": self.name, "endpoint": self.endpoint, "filter": dict(self.filter), **self.counts}


class EventDelivery:
    """Delivers events to subscriptions; `dead_letters` holds what could not be delivered."""

    def __init__(self, pace: Pace, folder: Path | None = None) -> None:
        self.dead_letters: list[Event] = []
        self.blobs: list[WrittenBlob] = []
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

    async def validate(self, subscription: Subscription, topic: str) -> None:
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

    async def deliver(self, subscription: Subscription, event: Event, delivery: DeliveryRecord) -> None:
        """Deliver one event, with retries until it is accepted or becomes a dead letter."""
        while True:
            reason = await self._wait_for_probation(subscription, delivery) or await self._try(
                subscription, event, delivery
            )
            if reason == DELIVERED:
                delivery.state = DELIVERED
                return
            if reason is not None:
                await self._write_dead_letter(subscription, event, delivery, reason)
                delivery.state = DEAD
                return
            await self._pace.sleep(subscription.policy.wait(delivery.status, delivery.attempts))

    async def _wait_for_probation(self, subscription: Subscription, delivery: DeliveryRecord) -> str | None:
        """Wait until the endpoint may be tried; gives a reason when the event does not live that long."""
        while left := subscription.probation.left(self._pace):
            if self._pace.elapsed() - delivery.began + left > subscription.policy.seconds:
                delivery.outcome = PROBATION
                return "TimeToLiveExceeded"
            await self._pace.sleep(left)
        return None

    async def _try(self, subscription: Subscription, event: Event, delivery: DeliveryRecord) -> str | None:
        """One attempt: DELIVERED, why there is no other, or None."""
        delivery.attempts += 1
        delivery.tried = self._pace.now()
        delivery.status, _ = await self._post(subscription, event, "Notification", delivery.attempts - 1)
        status = delivery.status
        if 200 <= status <= 204:
            subscription.counts["delivered"] += 1
            subscription.probation.succeeded()
            return DELIVERED
        subscription.counts["failed"] += 1
        subscription.probation.failed(self._pace)
        delivery.outcome = outcome_of(status)
        wait = subscription.policy.wait(status, delivery.attempts)
        lived = self._pace.elapsed() - delivery.began + wait
        return subscription.policy.give_up(status, delivery.attempts, lived)

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

    async def _write_dead_letter(
        self, subscription: Subscription, event: Event, delivery: DeliveryRecord, reason: str
    ) -> None:
        """Write the dead letter, five minutes after the last try."""
        times = moment(delivery.published), moment(delivery.tried)
        letter = dead_letter(event, reason, delivery.attempts, delivery.outcome, *times)
        await self._pace.sleep(BEFORE_DEAD_LETTER)
        subscription.counts["dead"] += 1
        if not subscription.dead_letters:
            return
        self.dead_letters.append(letter)
        log.warning("Event Grid gave up on event '%s' for '%s'", letter.get("id"), subscription.name)
        now = self._pace.now()
        hour = "/".join(map(str, (now.year, now.month, now.day, now.hour)))
        name, content = (
            f"{subscription.name.upper()}/{hour}/{uuid.uuid4()}.json",
            json.dumps([letter]).encode(),
        )
        self.blobs.append(WrittenBlob(name, content, now))
        if self._folder is not None:
            file = self._folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
