"""Azure Communication Services' email API: `POST /emails:send`, `GET /emails/operations/{id}`.

Sending is an operation; here it has succeeded when it is first asked for. The service's answer to an
operation id that is used again is not documented: here the mail is sent again, so that who relies on
the service to notice is found out.
https://learn.microsoft.com/rest/api/communication/email
"""

import json
import uuid
from typing import Any

from aiohttp import web

from sandbox.azure.identity import Identity, TokenError
from sandbox.azure.rights.assignments import COMMUNICATION_ID, MAIL, Rights
from sandbox.inboxes.inbox import Inbox

AUDIENCES = ("https://communication.azure.com",)


class Communication:
    """The email part of a Communication Services resource; mail goes to the inbox."""

    def __init__(self, inbox: Inbox, identity: Identity, rights: Rights) -> None:
        self._inbox = inbox
        self._identity = identity
        self._rights = rights
        self._operations: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """What the service answers; it is to be served over TLS."""
        return [web.post("/emails:send", self._send), web.get("/emails/operations/{id}", self._look)]

    async def _send(self, request: web.Request) -> web.Response:
        problem = self._stranger(request) or _unversioned(request)
        if problem is not None:
            return problem
        try:
            mail = _mail(await request.read())
        except ValueError as error:
            return _error(400, "InvalidRequest", str(error))
        operation = request.headers.get("Operation-Id") or str(uuid.uuid4())
        self._operations.add(operation)
        self._inbox.put("email", **mail)
        place = f"https://{request.host}/emails/operations/{operation}?{request.query_string}"
        return web.json_response(
            {"id": operation, "status": "Running", "error": None},
            status=202,
            headers={"Operation-Location": place, "Retry-After": "1"},
        )

    async def _look(self, request: web.Request) -> web.Response:
        problem = self._stranger(request) or _unversioned(request)
        if problem is not None:
            return problem
        operation = request.match_info["id"]
        if operation not in self._operations:
            return _error(404, "OperationNotFound", f"no operation '{operation}' is known")
        return web.json_response({"id": operation, "status": "Succeeded", "error": None})

    def _stranger(self, request: web.Request) -> web.Response | None:
        authorization = request.headers.get("Authorization")
        try:
            self._identity.check(authorization, AUDIENCES)
        except TokenError as error:
            return _error(401, "Denied", str(error))
        if not self._rights.allowed(self._identity.who(authorization), MAIL, COMMUNICATION_ID):
            return _error(403, "Forbidden", "The identity has no role on this resource that allows this.")
        return None


def _unversioned(request: web.Request) -> web.Response | None:
    if request.query.get("api-version"):
        return None
    return _error(400, "MissingApiVersionParameter", "the query parameter 'api-version' is missing")


def _mail(body: bytes) -> dict[str, Any]:
    """The mail as the inbox keeps it; raises ValueError for what the service would refuse."""
    document = json.loads(body)
    try:
        content = document["content"]
        receivers = document["recipients"]["to"]
        mail = {
            "from": document["senderAddress"],
            "to": [receiver["address"] for receiver in receivers],
            "subject": content["subject"],
            "text": content.get("plainText") or content["html"],
            "body": document,
        }
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the mail lacks {error}, or holds another type in its place") from error
    if not mail["to"] or not all(isinstance(mail[name], str) for name in ("from", "subject", "text")):
        raise ValueError("a mail has a senderAddress, recipients, a subject, and plainText or html")
    return mail


def _error(status: int, code: str, text: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": text}}, status=status)
