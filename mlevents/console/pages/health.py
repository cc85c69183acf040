"""The page Health: does the app accept deliveries, and what is wrong."""

from importlib.metadata import PackageNotFoundError, version

from mlevents.console.page import PageAnswer, PageRequest, page


@page("GET health")
async def show_health(request: PageRequest) -> PageAnswer:
    """What the app says of itself."""
    found = await request.call("HealthDetails", accept=(503,))
    try:
        known = version("mlevents")
    except PackageNotFoundError:
        known = ""
    return request.show("health.html", "health", problems=found["problems"], version=known)
