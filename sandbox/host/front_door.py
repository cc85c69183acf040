"""The app as Azure serves it: over https, and with its function keys."""

import ssl

from aiohttp import web

from sandbox.azure.web_sites import WebSite
from sandbox.host.function_keys import has_key
from sandbox.host.functions_host import BODY_LIMIT, FunctionsHost
from sandbox.listener import Listener, listen


class FrontDoor:
    """Asks for a key of the site wherever a function is not anonymous, then lets the host answer."""

    def __init__(self, host: FunctionsHost, site: WebSite) -> None:
        self._host, self._site = host, site

    async def open(self, context: ssl.SSLContext) -> Listener:
        """Serve over TLS, at an address that the site has from now on; the host's key is the site's too."""
        if self._host.key:
            self._site.function_keys["default"] = self._host.key
        application = web.Application(client_max_size=BODY_LIMIT)
        application.router.add_route("*", r"/{path:[\s\S]*}", self._answer)
        listener = await listen(application, context=context)
        self._site.host = listener.url.removeprefix("https://")
        return listener

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        keys = [self._site.master_key, *self._site.function_keys.values()]
        if not (self._host.is_anonymous(request) or any(has_key(request, key) for key in keys)):
            return web.Response(status=401)
        return await self._host.answer(request)
