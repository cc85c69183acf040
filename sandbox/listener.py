"""Servers on loopback."""

import asyncio
import ssl
from dataclasses import dataclass

from aiohttp import web

HOST = "127.0.0.1"
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class TcpServer:
    """A server that is up on 127.0.0.1, and speaks something else than HTTP."""

    server: asyncio.Server

    @property
    def port(self) -> int:
        """The port it took."""
        return int(self.server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop serving, and break the connections."""
        self.server.close()
        self.server.close_clients()
        await self.server.wait_closed()


@dataclass(frozen=True, slots=True)
class Listener:
    """An HTTP server that is up; `url` is its address without a path or a closing slash."""

    url: str
    runner: web.AppRunner

    @property
    def port(self) -> int:
        """The port it took."""
        return int(self.url.rsplit(":", 1)[1])

    async def close(self) -> None:
        """Stop serving; requests under way get a second to end."""
        await self.runner.cleanup()


async def listen(
    application: web.Application, port: int = 0, context: ssl.SSLContext | None = None
) -> Listener:
    """Serve on 127.0.0.1, with TLS when given a context; port 0 takes a free one.

    Raises OSError when the port is taken.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port, ssl_context=context).start()
    except OSError:
        await runner.cleanup()
        raise
    taken = runner.addresses[0][1]
    return Listener(f"{'https' if context else 'http'}://{HOST}:{taken}", runner)
