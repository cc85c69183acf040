"""The page Health: does the app accept deliveries, and what is wrong."""

from importlib.metadata import PackageNotFoundError, version

from mlevents.console.page import PageAnswer, PageRequest, page


@page("GET health")
async def show_health(request: PageRequest) -> PageAnswer:
    """What the app says of itself."""
    found = await request.call("HealthDetails", accept=(503,))
    quarantined = await request.call("ListResponses", query={"status": "quarantined", "limit": "100"})
    try:
        known = version("mlevents")
    except PackageNotFoundError:
        known = ""
    names = {"problems": found["problems"], "warnings": found["warnings"], "version": known}
    names["dead_letters"] = found["dead_letters"]
    return request.show("health.html", "health", quarantined=len(quarantined["responses"]), **names)
