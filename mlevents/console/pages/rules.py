"""The page Rules: what runs, in words, and what fired."""

from mlevents.console.page import PageAnswer, PageRequest, page


@page("GET rules")
async def show_rules(request: PageRequest) -> PageAnswer:
    """Every rule, with how often it fired."""
    found = await request.call("ListRules")
    return request.show("rules.html", "rules", **found)
