"""The page of the doctor: is everything there, and allowed, that the rules need?"""

from itertools import groupby

from mlevents.console.page import PageAnswer, PageRequest, page


@page("GET doctor")
async def show_findings(request: PageRequest) -> PageAnswer:
    """The doctor's findings by the part of the rule file that they belong to."""
    found = await request.call("RunDoctor")
    parts = [(part, list(several)) for part, several in groupby(found["findings"], lambda one: one["part"])]
    return request.show("doctor.html", "health", parts=parts, ok=found["ok"])
