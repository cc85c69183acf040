"""A service outside Azure that the sandbox plays: it answers at its hosts, and leaves every other request."""

from abc import ABC, abstractmethod

from aiohttp import web
from aiohttp.typedefs import Handler


class OutsideService(ABC):
    """Answers the requests to its hosts as a middleware, or every request as an application."""

    @abstractmethod
    def serves(self, request: web.Request) -> bool:
        """Whether the request is to this service."""

    @abstractmethod
    async def answer(self, request: web.Request) -> web.Response:
        """The answer to any request."""

    def application(self) -> web.Application:
        """The service alone, at any host."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        return application

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request to the service; leave any other."""
        return await self.answer(request) if self.serves(request) else await handler(request)
