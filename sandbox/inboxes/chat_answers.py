"""What chats and incident services answer to a message."""

import uuid
from collections.abc import Sequence

from aiohttp import web

SLACK_API, SLACK_HOOKS = "slack.com", ("hooks.slack.com", "hooks.slack-gov.com")


def accept_message(host: str) -> web.Response:
    """The answer to a message that the service has taken."""
    if host in SLACK_HOOKS:
        return web.Response(text="ok")
    if host.endswith(".pagerduty.com"):
        return web.json_response({"status": "success", "message": "Event processed"}, status=202)
    if host.endswith(".opsgenie.com"):
        answer = {"result": "Request will be processed", "took": 0.1, "requestId": str(uuid.uuid4())}
        return web.json_response(answer, status=202)
    return web.json_response({"ok": True})


def refuse_message(host: str, faults: Sequence[str]) -> web.Response:
    """The answer to a message that the service does not take."""
    if host == SLACK_API:
        return web.json_response({"ok": False, "error": faults[0].partition(":")[0], "errors": list(faults)})
    if host in SLACK_HOOKS:
        return web.Response(text=faults[0].partition(":")[0], status=400)
    if host.endswith(".opsgenie.com"):
        return web.json_response(
            {"message": faults[0], "took": 0.1, "requestId": str(uuid.uuid4())}, status=422
        )
    answer = {"status": "invalid event", "message": "Event object is invalid", "errors": list(faults)}
    return web.json_response(answer, status=400)
