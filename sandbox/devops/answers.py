"""Answers of Azure DevOps: a refusal has a message and the name of its kind."""

from aiohttp import web

SIGN_IN_PAGE = "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head></html>"


class DevOpsError(Exception):
    """A refusal with this HTTP status; `key` names its kind."""

    def __init__(self, status: int, message: str, key: str = "VssServiceException") -> None:
        self.status = status
        self.key = key
        super().__init__(message)

    def answer(self) -> web.Response:
        """As Azure DevOps words it."""
        body = {"$id": "1", "innerException": None, "message": str(self), "typeKey": self.key, "errorCode": 0}
        return web.json_response(body, status=self.status)


def ask_to_sign_in(request: web.Request) -> web.Response:
    """What a request without a valid token gets: the page to sign in, or 401 where that is suppressed."""
    if request.headers.get("X-TFS-FedAuthRedirect", "").lower() == "suppress":
        return web.Response(status=401)
    return web.Response(status=203, text=SIGN_IN_PAGE, content_type="text/html")
