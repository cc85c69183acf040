"""A service of the sandbox in a thread of its own, for tests in which the app's client calls it."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from sandbox.listener import listen


@contextmanager
def served(application: web.Application, context: ssl.SSLContext | None) -> Iterator[str]:
    """The address of the application, while it is served."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(listen(application, context=context), loop).result(10)
    try:
        yield listener.url
    finally:
        asyncio.run_coroutine_threadsafe(listener.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
