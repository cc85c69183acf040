"""Function keys, as the Functions host asks for them on Azure.

Source: AuthenticationLevelHandler.cs of azure-functions-host: the header `x-functions-key`, else `code` in
the query; a request without a valid key is answered with 401 and no body.
"""

import hmac

from aiohttp import web

HEADER, PARAMETER = "x-functions-key", "code"


def has_key(request: web.Request, key: str) -> bool:
    """Whether the request has this key; with an empty one none is asked for, as on a developer's machine."""
    sent = request.headers.get(HEADER, request.query.get(PARAMETER, ""))
    return not key or hmac.compare_digest(sent.encode(), key.encode())
