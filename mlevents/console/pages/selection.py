"""A verb for several responses that were selected in the list."""

from mlevents.console.page import PageAnswer, PageError, PageRequest, page
from mlevents.console.pages.response import VERBS

SELECTED_VERBS = ("rerun", "cancel", "replay")
MOST_SELECTED = 100


@page("POST responses")
async def ask_of_selection(request: PageRequest) -> PageAnswer:
    """Ask the same of each selected response; one that refuses does not keep the others from it."""
    chosen, verb = request.form.get("id", [])[:MOST_SELECTED], request.read_field("verb")
    if verb not in SELECTED_VERBS:
        raise PageError(404, f"There is no verb '{verb:.100}' for a selection.")
    if not chosen:
        raise PageError(400, "No response is selected: tick those that you mean, then try again.")
    body = {"reason": request.read_field("reason")}
    refused = []
    for response_id in chosen:
        try:
            await request.call(VERBS[verb], {"id": response_id}, body=body)
        except PageError as error:
            refused.append(f"{response_id}: {error}")
    if not refused:
        return request.lead("responses", done=verb)
    done = len(chosen) - len(refused)
    names = {"verb": verb, "done": done, "refused": refused}
    return request.show("selection.html", "responses", 409 if not done else 200, **names)
