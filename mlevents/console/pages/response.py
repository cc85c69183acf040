"""The page of one response: where it is, what it measured, and why it exists."""

import json
from collections.abc import Mapping
from typing import Any

from mlevents.console.page import PageAnswer, PageRequest, page


@page("GET responses/{id}")
async def show_response(request: PageRequest) -> PageAnswer:
    """Everything that is known of one response."""
    found: Mapping[str, Any] = await request.call("GetResponse", {"id": request.path["id"]})
    event = json.dumps(found["event"], indent=2, ensure_ascii=False)
    return request.show("response.html", "responses", response=found, event_text=event)
