"""The Functions host for one app: Event Grid's webhook, HTTP functions, durable work.

The host is part of the sandbox's process and the app has a process of its own. A `kill` is the death of
both at once, as far as anybody outside can see: the port answers 503, and the task hub alone lives on.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.azure.faults import Faults
from sandbox.durable.failure_injection import FailureInjection
from sandbox.durable.hub import DurableHub
from sandbox.durable.pump import DurablePump
from sandbox.host.event_grid_webhook import EventGridWebhook
from sandbox.host.function_keys import has_key
from sandbox.host.http_bridge import HttpBridge
from sandbox.host.timer_triggers import Status, TimerClock, TimerTriggers
from sandbox.listener import Listener, listen
from sandbox.pace import Pace
from sandbox.worker.function import WorkerError, check_names
from sandbox.worker.host_settings import HostSettings
from sandbox.worker.worker_process import WorkerProcess

BODY_LIMIT = 100 * 1024 * 1024
ADMIN = "/admin/functions/"
NO_HOST = "Function host is not running."
STOPPED, STARTING, RUNNING, FAILED = "stopped", "starting", "running", "failed"
log = logging.getLogger(__name__)


class FunctionsHost:
    """Runs the app in `folder`, unchanged; `url` is where it answers once started.

    `environment` gives the app's environment for the folder that it is started from. `key` is the master
    key, which opens every function; with an empty one no key is asked for, as in Core Tools. `routes` are
    those of the sandbox on the same address, set before `open`; they also answer while the app is down.
    """

    def __init__(self, folder: Path, script: str = "function_app.py", pace: Pace | None = None) -> None:
        self.state, self.error = STOPPED, ""
        self.environment: Callable[[Path], Mapping[str, str]] | None = None
        self.hub = DurableHub(pace or Pace())
        self._clock = TimerClock(pace or Pace())
        self._timer_statuses: dict[str, Status] = {}
        self._timers: TimerTriggers | None = None
        self.failure_injection = FailureInjection()
        self.faults = Faults()
        self.url = ""
        self.key = ""
        self.routes: Iterable[web.RouteDef] = ()
        self.worker = WorkerProcess(folder, script)
        self._listener: Listener | None = None
        self._pump: DurablePump | None = None
        self._background: set[asyncio.Task[None]] = set()

    async def open(self, port: int = 0) -> None:
        """Take the port on 127.0.0.1, and answer 503 until `start`; raises OSError when it is taken."""
        gate = web.Application(client_max_size=BODY_LIMIT)
        gate.add_routes(self.routes)
        gate.router.add_route("*", r"/{path:[\s\S]*}", self.answer)
        self._listener = await listen(gate, port)
        self.url = self._listener.url
        self.hub.start()

    async def start(self, folder: Path | None = None) -> None:
        """Index the app, of this folder if one is given, and serve it; raises WorkerError."""
        self.state, self.error = STARTING, ""
        self.worker = WorkerProcess(folder or self.worker.folder, self.worker.script)
        try:
            await self._start_worker()
            self.hub.settings = HostSettings.read(self.worker.folder, self.worker.environment or os.environ)
        except (WorkerError, ValueError) as error:
            await self._fail(str(error))
            raise WorkerError(str(error)) from error
        self._webhook = EventGridWebhook(self.worker)
        self._bridge = HttpBridge(self.worker, self.hub.settings.route_prefix, self.key)
        self._pump = DurablePump(self.hub, self.worker, self.failure_injection, self.faults)
        self._timers = TimerTriggers(self.worker, self._clock, self._timer_statuses)
        self._pump.start()
        self._timers.start()
        self.state = RUNNING

    async def kill(self) -> None:
        """End the app by SIGKILL, and the host with it; what both had taken from the hub stays hidden."""
        self.state = STOPPED
        await self._give_up(self.worker.kill())

    async def restart(self) -> None:
        """End the app, and start it as its files are now; its work is visible again at once.

        Raises WorkerError.
        """
        self.state = STOPPED
        await self._give_up(self.worker.stop(), timedelta(0))
        await self.start()

    async def kill_worker(self) -> None:
        """End the app by SIGKILL; the host notices, and starts it again."""
        await self.worker.crash()

    def kill_when(self, work: re.Pattern[str]) -> None:
        """Do the same as `kill` once work that matches is done, before its result is delivered."""
        self.failure_injection.kill_pattern = work
        self.failure_injection.kill_host = lambda: self._later(self.kill())

    async def stop(self) -> None:
        """Stop at once; durable work that is under way is forgotten with the hub."""
        self.state = STOPPED
        if self._listener is not None:
            await self._listener.close()
        self.hub.stop(grace=0)
        if self._pump is not None:
            await self._pump.stop()
        await self._stop_timers()
        await self.worker.stop()

    async def _stop_timers(self) -> None:
        if self._timers is not None:
            await self._timers.stop()

    async def _start_worker(self) -> None:
        worker = self.worker
        if self.environment is not None:
            worker.environment = self.environment(worker.folder)
        worker.durable_client = self.hub.client(self.url)
        worker.lost = lambda: self._later(self._restart_worker(worker))
        await worker.start()
        check_names(worker.functions)

    async def _restart_worker(self, worker: WorkerProcess) -> None:
        if self.state != RUNNING or worker is not self.worker:
            return
        try:
            await self._start_worker()
            if self.state != RUNNING:  # killed meanwhile
                await worker.stop()
        except WorkerError as error:
            if self.state != RUNNING:
                return
            log.error("the app cannot be started again: %s", error)  # noqa: TRY400 - it says all there is
            await self._fail(str(error))

    async def _fail(self, reason: str) -> None:
        self.state, self.error = FAILED, reason
        await self._give_up(self.worker.stop())

    async def _give_up(self, end: Coroutine[Any, Any, None], hidden: timedelta | None = None) -> None:
        """Report nothing more to the hub, and end the app; what they had taken stays hidden for a while."""
        pump, self._pump = self._pump, None
        if pump is None:
            await end
            return
        await asyncio.gather(pump.stop(), self._stop_timers(), end)  # in this order
        control, work = self.hub.settings.control_visibility, self.hub.settings.work_visibility
        self.hub.host_died(control if hidden is None else hidden, work if hidden is None else hidden)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def is_anonymous(self, request: web.Request) -> bool:
        """Whether a request needs no key: the webhook asks for its own, and what is stopped answers 503."""
        webhook = request.path.casefold().startswith("/runtime/webhooks/")
        return webhook or self.state != RUNNING or self._bridge.is_anonymous(request.method, request.path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The app's answer to a request; 503 while it does not run."""
        if self.state != RUNNING:
            return web.Response(status=503, text=NO_HOST)
        answer = await self._ask(request)
        if self.state != RUNNING and request.transport is not None:
            request.transport.abort()  # the host died meanwhile, and its connections with it
        return answer

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        if request.path.casefold() == "/runtime/webhooks/eventgrid":
            return await self._webhook.answer(request)
        if (
            request.path.casefold().startswith(ADMIN)
            and request.method == "POST"
            and self._timers is not None
        ):
            if not has_key(request, self.key):
                return web.Response(status=401)
            return web.Response(status=202 if self._timers.run_now(request.path[len(ADMIN) :]) else 404)
        return await self._bridge.answer(request)
