"""The page Try it: an event, the rules, and what each of them says."""

import json
from typing import Any

from mlevents.console.page import PageAnswer, PageRequest, page


@page("GET try")
async def show_trial(request: PageRequest) -> PageAnswer:
    """An empty trial, or one with the event of a response, or a recent event."""
    event = None
    if known := request.query.get("response"):
        event = (await request.call("GetResponse", {"id": known}))["event"]
    elif key := request.query.get("key"):
        recent = (await request.call("ListEvents", query={"limit": "500"}))["events"]
        event = next((one.get("event") for one in recent if one["key"] == key), None)
    return await _show(request, json.dumps(event, indent=2, ensure_ascii=False) if event else "", "")


@page("POST try")
async def explain_trial(request: PageRequest) -> PageAnswer:
    """The event explained by the rules as they are in the form."""
    event, rules = request.read_field("event"), request.read_field("rules")
    try:
        document: Any = json.loads(event)
    except (ValueError, RecursionError) as error:
        return await _show(request, event, rules, error=f"The event is not JSON: {error}")
    if isinstance(document, list) and len(document) == 1:
        [document] = document
    if not isinstance(document, dict):
        return await _show(request, event, rules, error="The event must be one JSON object.")
    body = {"event": document, **({"rules": rules} if rules else {})}
    explained = await request.call("ExplainEvent", body=body)
    if explained["problems"]:
        return await _show(request, event, rules, error="\n".join(explained["problems"]))
    return await _show(request, event, rules, explained=explained)


async def _show(
    request: PageRequest, event: str, rules: str, *, error: str = "", explained: Any = None
) -> PageAnswer:
    files = (await request.call("GetRuleFile"))["files"]
    text = rules or (next(iter(files.values())) if len(files) == 1 else "")
    names = {"event_text": event, "rules_text": text, "error": error, "explained": explained}
    return request.show("try.html", "try", 400 if error else 200, **names)
