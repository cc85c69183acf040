"""Event Grid: the topic of the workspace, and a subscription for each of the app's event functions.

`POST` publishes an array of events, `GET` counts what happened to them, `GET …/deadletters` lists those
that could not be delivered, `GET …/journal` what became of each event.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from aiohttp import web

from mlevents.events.event_functions import functions, is_own_type
from sandbox.event_grid.compiled_filters import Filter, type_filter
from sandbox.event_grid.delivery import EventDelivery, Subscription
from sandbox.event_grid.event_schemas import Event, RefusedError, parse_publication
from sandbox.event_grid.filter_evaluation import delivers
from sandbox.event_grid.publication_journal import DROPPED, DeliveryRecord, PublicationJournal
from sandbox.event_grid.written_blob import WrittenBlob
from sandbox.pace import Pace

PATH = "/api/events"
BODY_LIMIT = 64 * 1024 * 1024
FUNCTIONS = tuple(functions())
"""The app's event functions: one for each event type of Azure ML that mlevents knows."""
TIMER = "CompareModelTags"
"""The function of the app from which it has its own events."""


class EventGrid:
    """The topic; `twice` delivers everything twice, as Event Grid may.

    `on_publish` receives every posted event first: in Azure only the workspace itself can publish, so
    the sandbox believes what an event says.
    """

    def __init__(self, topic: str, pace: Pace, folder: Path | None = None, twice: bool = False) -> None:
        self.topic = topic
        self.subscriptions: list[Subscription] = []
        self.twice = twice
        self.on_publish: Callable[[Event], None] = lambda _: None
        self._pace = pace
        self._courier = EventDelivery(pace, folder)
        self.journal = PublicationJournal(pace.now)
        self._under_way: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        """The topic's endpoint, at PATH."""
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_post(PATH, self._publish)
        application.router.add_get(PATH, self._list)
        application.router.add_get(f"{PATH}/deadletters", self._list_dead_letters)
        application.router.add_get(f"{PATH}/journal", self.journal.list_publications)
        return application

    async def start(self) -> None:
        """Open the connections that deliveries go over."""
        await self._courier.start()

    async def subscribe(
        self, host: str, functions: Iterable[str] = FUNCTIONS, filters: Mapping[str, Filter] | None = None
    ) -> None:
        """Subscribe functions of the host at this address; raises HandshakeError.

        A function without a filter receives every event of its own type.
        """
        for function in functions:
            chosen = (filters or {}).get(function) or type_filter(function)
            subscription = Subscription(
                name=re.sub(r"(?<=[a-z])(?=[A-Z])", "-", function).lower(),
                endpoint=f"{host}/runtime/webhooks/eventgrid?functionName={function}",
                filter=chosen,
                function=function,
            )
            await self._courier.validate(subscription, self.topic)
            self.subscriptions.append(subscription)

    def replace_filters(self, filters: Mapping[str, Filter]) -> None:
        """Give each subscription its filter of other rules."""
        for subscription in self.subscriptions:
            function = subscription.function
            subscription.filter = filters.get(function) or type_filter(function)

    async def stop(self) -> None:
        """Cancel all deliveries."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._courier.stop()

    @property
    def blobs(self) -> list[WrittenBlob]:
        """The same as blobs of the container."""
        return self._courier.blobs

    @property
    def dead_letters(self) -> list[Event]:
        """What could not be delivered, with why."""
        return self._courier.dead_letters

    def publish(self, event: Event) -> None:
        """Deliver an event to the subscriptions that want it, in the background.

        An event of mlevents itself comes from no topic: it is brought to the app as its timer would do.
        """
        publication = self.journal.add_event(event)
        own = is_own_type(str(event.get("eventType") or event.get("type")))
        for subscription in self.subscriptions[: 1 if own else None]:
            rejection = None if own else subscription.find_rejection(event)
            for _ in range(2 if self.twice and rejection is None else 1):
                began = self._pace.now(), self._pace.elapsed()
                function = TIMER if own else subscription.function
                delivery = DeliveryRecord(*began, function, because=rejection)
                if rejection is None or delivers(type_filter(subscription.function), event):
                    publication.deliveries.append(delivery)
                self._dispatch(subscription, event, delivery)

    def _dispatch(self, subscription: Subscription, event: Event, delivery: DeliveryRecord) -> None:
        if delivery.because is not None:
            delivery.state = DROPPED
            subscription.counts["dropped"] += 1
            return
        task = asyncio.ensure_future(self._deliver(subscription, event, delivery))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, subscription: Subscription, event: Event, delivery: DeliveryRecord) -> None:
        subscription.counts["pending"] += 1
        try:
            await self._courier.deliver(subscription, event, delivery)
        finally:
            subscription.counts["pending"] -= 1

    def publish_posted(self, body: bytes) -> None:
        """Publish the events of a request; raises RefusedError."""
        for event in parse_publication(body, self.topic):
            self.on_publish(event)
            self.publish(event)

    async def _publish(self, request: web.Request) -> web.Response:
        try:
            self.publish_posted(await request.read())
        except RefusedError as error:
            code = "PayloadTooLarge" if error.status == 413 else "BadRequest"
            answer = {"error": {"code": code, "message": str(error)}}
            return web.json_response(answer, status=error.status)
        return web.Response()

    async def _list(self, _: web.Request) -> web.Response:
        shown = [one.to_json() | {"probation": one.probation.left(self._pace)} for one in self.subscriptions]
        return web.json_response({"topic": self.topic, "subscriptions": shown})

    async def _list_dead_letters(self, _: web.Request) -> web.Response:
        return web.json_response(self.dead_letters)
