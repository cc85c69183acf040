"""Azure Blob Storage, as far as dead letters are read: a list of blobs and their content.

https://learn.microsoft.com/rest/api/storageservices/list-blobs, get-blob. The address is that of an emulator,
with the account in the path.
"""

from xml.sax.saxutils import escape

from aiohttp import web

from sandbox.azure.identity import Identity, TokenError
from sandbox.azure.rights.assignments import BLOBS_READ, STORAGE_ID, Rights
from sandbox.event_grid.topic import EventGrid
from sandbox.event_grid.written_blob import WrittenBlob

ACCOUNT, CONTAINER = "stmlevents", "dead-letters"
_AUDIENCES = ("https://storage.azure.com", f"https://{ACCOUNT}.blob.core.windows.net")


class BlobStorage:
    """Serves the blobs of one container to who may read them; it is to be served over TLS."""

    def __init__(self, identity: Identity, rights: Rights, event_grid: EventGrid) -> None:
        self._identity, self._rights, self._event_grid = identity, rights, event_grid

    def application(self) -> web.Application:
        """The account's endpoint."""
        application = web.Application()
        application.router.add_get(f"/{ACCOUNT}/{{container}}", self._list)
        application.router.add_get(f"/{ACCOUNT}/{{container}}/{{name:.+}}", self._read)
        return application

    async def _list(self, request: web.Request) -> web.Response:
        if problem := self._find_problem(request):
            return problem
        prefix = request.query.get("prefix", "")
        named = sorted(
            (one for one in self._event_grid.blobs if one.name.startswith(prefix)), key=lambda one: one.name
        )
        listed = "".join(map(_to_xml, named))
        place = f'ServiceEndpoint="https://{request.host}/{ACCOUNT}" ContainerName="{CONTAINER}"'
        text = f"<EnumerationResults {place}><Blobs>{listed}</Blobs><NextMarker /></EnumerationResults>"
        return web.Response(text=text, content_type="application/xml")

    async def _read(self, request: web.Request) -> web.Response:
        if problem := self._find_problem(request):
            return problem
        found = next((one for one in self._event_grid.blobs if one.name == request.match_info["name"]), None)
        if found is None:
            return _error(404, "BlobNotFound", "The specified blob does not exist.")
        size = len(found.content)
        headers = {**found.headers, "Content-Range": f"bytes 0-{size - 1}/{size}"}
        return web.Response(status=206, body=found.content, headers=headers, content_type="application/json")

    def _find_problem(self, request: web.Request) -> web.Response | None:
        authorization = request.headers.get("Authorization")
        try:
            self._identity.check(authorization, _AUDIENCES)
        except TokenError as error:
            return _error(401, "InvalidAuthenticationInfo", str(error))
        if not self._rights.allowed(self._identity.who(authorization), BLOBS_READ, STORAGE_ID):
            text = "This request is not authorized to perform this operation using this permission."
            return _error(403, "AuthorizationPermissionMismatch", text)
        if request.match_info["container"] != CONTAINER:
            return _error(404, "ContainerNotFound", "The specified container does not exist.")
        return None


def _to_xml(one: WrittenBlob) -> str:
    facts = {
        "Last-Modified": one.headers["Last-Modified"],
        "Etag": one.headers["ETag"].strip('"'),
        "Content-Length": str(len(one.content)),
        "Content-Type": "application/json",
        "BlobType": "BlockBlob",
    }
    properties = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in facts.items())
    return f"<Blob><Name>{escape(one.name)}</Name><Properties>{properties}</Properties></Blob>"


def _error(status: int, code: str, text: str) -> web.Response:
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{text}</Message></Error>'
    )
    headers = {"x-ms-error-code": code}
    return web.Response(status=status, text=body, headers=headers, content_type="application/xml")
