"""Which requests the sandbox's page answers: those of a browser on this machine, from the page itself."""

from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


def find_refusal(request: web.Request) -> str | None:
    """Why a request is refused; None if it is not.

    Another site can make its own name lead to this machine, so the name in the address counts. Browsers
    say in Sec-Fetch-Site, older ones in Origin, where a form is from; a program sends neither.
    """
    if urlsplit(f"//{request.host}").hostname not in LOOPBACK_NAMES:
        return f"The sandbox's page has the address 127.0.0.1 or localhost, not '{request.host:.100}'."
    if request.method != "GET" and not _is_same_origin(request):
        return "This form came from another site."
    return None


def _is_same_origin(request: web.Request) -> bool:
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host
