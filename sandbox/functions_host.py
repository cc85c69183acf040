"""The Functions host for one app: Event Grid's webhook, HTTP functions, durable work."""

from pathlib import Path

from aiohttp import web

from sandbox.arm.faults import Faults
from sandbox.chaos import Chaos
from sandbox.durable_hub import DurableHub
from sandbox.durable_pump import DurablePump
from sandbox.event_grid_webhook import EventGridWebhook
from sandbox.http_bridge import HttpBridge
from sandbox.listener import Listener, listen
from sandbox.pace import Pace
from sandbox.worker import Worker

BODY_LIMIT = 100 * 1024 * 1024
HOME = "Your Azure Function app is up and running, in the mlevents sandbox."


class FunctionsHost:
    """Runs the app in `folder`, unchanged; `url` is where it answers once started."""

    def __init__(self, folder: Path, script: str = "function_app.py", pace: Pace | None = None) -> None:
        self.worker = Worker(folder, script)
        self.hub = DurableHub(pace or Pace())
        self.chaos = Chaos()
        self.faults = Faults()
        self.url = ""
        self._listener: Listener | None = None
        self._pump: DurablePump | None = None

    async def open(self, port: int = 0) -> None:
        """Take the port on 127.0.0.1, and answer 503 until `start`; raises OSError when it is taken."""
        gate = web.Application(client_max_size=BODY_LIMIT)
        gate.router.add_route("*", "/{path:.*}", self._answer)
        self._listener = await listen(gate, port)
        self.url = self._listener.url

    async def start(self) -> None:
        """Index the app, in the environment as it is now, and serve it; raises WorkerError."""
        await self.worker.start()
        self.hub.start()
        self.worker.durable_client = self.hub.client(self.url)
        self._webhook = EventGridWebhook(self.worker)
        self._bridge = HttpBridge(self.worker)
        self._pump = DurablePump(self.hub, self.worker, self.chaos, self.faults)
        self._pump.start()

    async def stop(self) -> None:
        """Stop at once; durable work that is under way is forgotten with the hub."""
        if self._listener is not None:
            await self._listener.close()
        self.hub.stop(grace=0)
        if self._pump is not None:
            await self._pump.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self._pump is None:
            return web.Response(status=503, text="Function host is not running.")
        if request.path.casefold() == "/runtime/webhooks/eventgrid":
            return await self._webhook.answer(request)
        if request.path == "/":
            return web.Response(text=HOME)
        return await self._bridge.answer(request)
