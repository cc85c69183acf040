"""The complete sandbox: a simulated Azure on loopback, and the app in a process of its own."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from ssl import SSLContext
from typing import Any, Self

from aiohttp import web

from mlevents.errors import EventError
from mlevents.events import parse
from mlevents.settings import PUBLIC_RESOURCE_MANAGER
from sandbox.azure.blob_storage import ACCOUNT, CONTAINER, BlobStorage
from sandbox.azure.errors import ArmError
from sandbox.azure.identity import Identity
from sandbox.azure.resource_manager import ResourceManager
from sandbox.azure.rights.assignments import Rights
from sandbox.console.sandbox_page import SandboxPage
from sandbox.console.sandbox_parts import SandboxParts
from sandbox.durable.failure_injection import FailureInjection
from sandbox.event_grid import topic
from sandbox.event_grid.topic import EventGrid
from sandbox.host import host_control
from sandbox.host.app_settings import IDENTITY_HEADER, AppSettings
from sandbox.host.front_door import FrontDoor
from sandbox.host.functions_host import FunctionsHost
from sandbox.host.host_control import HostControl
from sandbox.host.rule_settings import Inboxes
from sandbox.inboxes.inbox import Inbox
from sandbox.inboxes.mail_server import serve_mail
from sandbox.listener import HOST, Listener, TcpServer, listen
from sandbox.options import Options, PortTakenError
from sandbox.outside_services import OutsideServices
from sandbox.pace import Pace
from sandbox.rule_watch import RuleWatch
from sandbox.running_rules import RunningRules
from sandbox.tls import Certificates, issue

FAULTS, LOAD = "/_sandbox/faults", "/_sandbox/load"


class Sandbox:
    """A sandbox that is up inside `async with`; `ready` is what the ready file holds.

    Raises PortTakenError, WorkerError (the app cannot be indexed) or HandshakeError when it starts.
    """

    def __init__(self, options: Options) -> None:
        pace = Pace(options.speed)
        self.options = options
        self.ready: dict[str, Any] = {}
        self.inbox = Inbox()
        self.identity = Identity(IDENTITY_HEADER)
        self.event_grid = EventGrid(
            ResourceManager.workspace_id, pace, options.dead_letters, options.deliver_twice
        )
        self.rights = Rights()
        self.arm = ResourceManager(pace, self.identity, self.event_grid.publish, self.rights)
        self.arm.event_subscriptions.list_subscriptions = lambda: self.event_grid.subscriptions
        self.event_grid.on_publish = self._remember_announced
        self.outside = OutsideServices(self.inbox, self.identity, self.rights, self.arm.faults)
        self.host = FunctionsHost(options.app, options.script, pace)
        self.host.failure_injection = FailureInjection(twice=options.twice)
        self.host.faults = self.arm.faults
        self.host.key = secrets.token_urlsafe(24) if options.keys else ""
        self.control = HostControl(self.host)
        parts = (self.host, self.control, self.event_grid, self.inbox, self.arm, lambda: self.ready)
        self.host.routes = SandboxPage(SandboxParts(*parts, lambda: self.rules.read_environment())).routes()  # noqa: PLW0108
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        await self._take_port()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mlevents-")))
        certificates = issue(folder)
        self.ready = await self._serve_azure(certificates)
        door = await FrontDoor(self.host, self.arm.web_sites.app).open(certificates.context)
        self._stack.push_async_callback(door.close)
        self.rules = RunningRules(
            self.options,
            await self._serve_receivers(certificates),
            self.ready,
            self.host,
            self.control,
            self.event_grid,
            self.rights,
            self.arm,
            self.outside.streams,
        )
        self.rules.prepare()
        await self._run()

    async def _serve_receivers(self, certificates: Certificates) -> AppSettings:
        """Serve what the app sends to; returns the settings that lead there."""
        servers: dict[str, Listener | TcpServer] = {
            "https": await self._serve(self.outside.application(), certificates.context),
            "http": await self._serve(self.outside.application()),
            "smtp": await serve_mail(self.inbox, certificates.context),
            "smtps": await serve_mail(self.inbox, certificates.context, encrypted=True),
            "amqps": await self.outside.broker.serve(certificates.context),
        }
        for name in ("smtp", "smtps", "amqps"):
            self._stack.push_async_callback(servers[name].close)
        ports = {name: one.port for name, one in servers.items()}
        options, key = self.options, lambda: self.outside.github.callers.private_key
        return AppSettings(
            self.ready,
            Inboxes(f"https://{HOST}:{ports['https']}", HOST, ports["smtp"], key),
            ports,
            options.script,
            options.app,
            options.rules,
            options.env,
            options.real,
            "Production" if options.keys else "Development",
            options.speed,
        )

    async def _serve_azure(self, certificates: Certificates) -> dict[str, Any]:
        """Serve the simulated services; returns the content of the ready file."""
        served = (self.identity, self.event_grid, self.inbox, self.control)
        identity, event_grid, inbox, control = [await self._serve(one.application()) for one in served]
        faults = await self._serve(self._faults())
        storage = BlobStorage(self.identity, self.rights, self.event_grid)
        blobs = await self._serve(storage.application(), certificates.context)
        arm = await self._serve(self.arm.application(), certificates.context)
        self.arm.base_url = arm.url
        return {
            "functions": self.host.url,
            "event_grid": f"{event_grid.url}{topic.PATH}",
            "arm": arm.url,
            "ca": str(certificates.ca),
            "identity": f"{identity.url}/msi/token",
            "inbox": inbox.url,
            "workspace": self.arm.workspace_id,
            "data_factory": self.arm.factory_id,
            "faults": f"{faults.url}{FAULTS}",
            "host": f"{control.url}{host_control.PATH}",
            "load": f"{faults.url}{LOAD}",
            **({"function_key": self.host.key} if self.host.key else {}),
            "dead_letters": f"{blobs.url}/{ACCOUNT}/{CONTAINER}",
            "owner": self.identity.owner_token(PUBLIC_RESOURCE_MANAGER),
            "console": f"{self.host.url}/",
        }

    def _remember_announced(self, document: Mapping[str, Any]) -> None:
        """Remember the model or run that a posted event announces, if the event can be parsed."""
        with suppress(EventError, ArmError):
            event = parse(document)
            for workspace in self.arm.workspaces.parts.values():
                workspace.remember_announced(event)

    def _faults(self) -> web.Application:
        application = web.Application()
        application.add_routes(self.arm.faults.routes(FAULTS))
        application.add_routes(self.arm.load.routes(LOAD))
        return application

    async def _take_port(self) -> None:
        self._stack.push_async_callback(self.host.stop)
        try:
            await self.host.open(self.options.port)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise PortTakenError(
                f"port {self.options.port} is not free ({why}): stop the process that listens there, "
                "or choose another port with --port (0 takes a free one)"
            ) from error

    async def _serve(self, application: web.Application, context: SSLContext | None = None) -> Listener:
        listener = await listen(application, context=context)
        self._stack.push_async_callback(listener.close)
        return listener

    async def _run(self) -> None:
        await self.event_grid.start()
        self._stack.push_async_callback(self.event_grid.stop)
        await self.rules.start()
        self._stack.callback(self.rules.publish())
        if self.options.reload and self.options.rules:
            watch = RuleWatch(self.options.rules, self.rules.read_environment, self.rules.apply)
            task = asyncio.create_task(watch.run())
            self._stack.callback(task.cancel)
