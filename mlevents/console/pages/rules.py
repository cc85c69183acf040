"""The page Rules: what runs, in words, what fired, and what is held."""

from collections.abc import Mapping
from typing import Any

from mlevents.console.page import PageAnswer, PageError, PageRequest, page

HOLD_VERBS = {"hold": ("HoldRule", "HoldEverything"), "release": ("ReleaseRule", "ReleaseEverything")}
"""Each verb with its operation for one rule, and that for every rule."""


@page("GET rules")
async def show_rules(request: PageRequest) -> PageAnswer:
    """Every rule, with how often it fired and who holds it; also holds of rules that are gone."""
    found = await request.call("ListRules")
    listed: Mapping[str, Any] = await request.call("ListHolds")
    rules = {one["rule"]["id"] for one in found["rules"]}
    return request.show(
        "rules.html",
        "rules",
        **found,
        holds={hold["rule"]: hold for hold in listed["holds"]},
        removed=[hold for hold in listed["holds"] if hold["rule"] and hold["rule"] not in rules],
        releasing=[scope or "every rule" for scope in listed["releasing"]],
        notices=read_notices(request.query),
    )


@page("POST rules/{verb}")
async def ask_of_every_rule(request: PageRequest) -> PageAnswer:
    """Hold or release everything, and show the rules again."""
    return await _ask(request, {})


@page("POST rules/{id}/{verb}")
async def ask_of_rule(request: PageRequest) -> PageAnswer:
    """Hold or release one rule, and show the rules again."""
    return await _ask(request, {"id": request.path["id"]})


def read_notices(query: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the verb led to that was sent before."""
    if (verb := query.get("done")) in HOLD_VERBS:
        return [("good", f"Done: {verb}.")]
    if (verb := query.get("sent")) in HOLD_VERBS:
        return [("wait", f"Sent: {verb}. It takes effect within seconds; open this page again to see it.")]
    return []


async def _ask(request: PageRequest, path: Mapping[str, str]) -> PageAnswer:
    verb = request.path["verb"]
    if verb not in HOLD_VERBS:
        raise PageError(404, f"There is no verb '{verb:.100}' for a rule.")
    of_rule, of_everything = HOLD_VERBS[verb]
    reason = request.read_field("reason")
    body = {"reason": reason} if reason else {}
    found: Mapping[str, Any] = await request.call(of_rule if path else of_everything, path, body=body)
    is_stored = (found["hold"] is not None) == (verb == "hold")
    return request.lead("rules", **{"done" if is_stored else "sent": verb})
