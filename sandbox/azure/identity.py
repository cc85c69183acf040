"""Managed identity as App Service and virtual machines offer it, and the check of its tokens.

The App Service form is `GET /msi/token` with the header that the platform gives the app as
IDENTITY_HEADER; the virtual machine form is `GET /metadata/identity/oauth2/token` with `Metadata: true`.
With `owner` as the header, the App Service form gives the tokens of a person who has every right.
"""

import base64
import binascii
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

TENANT = "22222222-2222-2222-2222-222222222222"
PRINCIPAL = "44444444-4444-4444-4444-444444444444"
APPLICATION = "55555555-5555-5555-5555-555555555555"
APP, OWNER = "app", "owner"
OBJECT_IDS = {APP: PRINCIPAL, OWNER: "77777777-7777-7777-7777-777777777777"}
OWNER_NAME = "Olga Owner"
"""The display name of the person, with which Azure records what they create."""
DAY = 24 * 60 * 60
EARLY = 5 * 60


class TokenError(Exception):
    """A token is not accepted; `code` is what Azure Resource Manager calls the reason."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


class Identity:
    """Issues the app's tokens and recognises them again.

    `header` is what the platform gives the app as IDENTITY_HEADER, a random text when left out.
    `lifetime` is in seconds, and no speed shortens it. `user_assigned` are the client ids of further
    identities that the app may ask for. Tokens are well-formed JWTs with an empty signature.
    """

    def __init__(
        self,
        header: str = "",
        lifetime: float = DAY,
        user_assigned: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.header = header or secrets.token_hex(16)
        self.lifetime = lifetime
        self.user_assigned = frozenset(user_assigned)
        self._clock = clock
        self._latest: dict[str, str] = {}
        self._issued: set[str] = set()

    def application(self) -> web.Application:
        """The HTTP endpoint; its address with `/msi/token` is what IDENTITY_ENDPOINT holds."""
        application = web.Application()
        application.router.add_get("/msi/token", self._app_service)
        application.router.add_get("/metadata/identity/oauth2/token", self._virtual_machine)
        return application

    def token(self, resource: str, client: str = APPLICATION) -> str:
        """A token of the app for this resource: the last one again, until it is about to expire."""
        return self._token(resource, client, APP)

    def owner_token(self, resource: str) -> str:
        """The same of a person who has every right."""
        return self._token(resource, APPLICATION, OWNER)

    def who(self, authorization: str | None) -> str:
        """Whose token it is, `app` or `owner`; empty for one that was not issued here."""
        token = (authorization or "").partition(" ")[2].strip()
        owner = _claims(token).get("oid") if token in self._issued else None
        return next((name for name, id in OBJECT_IDS.items() if id == owner), "")

    def _token(self, resource: str, client: str, who: str) -> str:
        key = f"{who} {client} {resource}"
        known = self._latest.get(key)
        if known and _claims(known)["exp"] > self._clock() + min(EARLY, self.lifetime / 2):
            return known
        token = self._issue(resource, client, who)
        self._latest[key] = token
        self._issued.add(token)
        return token

    def check(self, authorization: str | None, audiences: Iterable[str]) -> Mapping[str, Any]:
        """The claims of a bearer token issued here for one of the audiences; raises TokenError."""
        scheme, _, token = (authorization or "").partition(" ")
        if not token.strip():
            raise TokenError("AuthenticationFailed", "The 'Authorization' header is missing.")
        claims = _claims(token) if scheme.lower() == "bearer" else {}
        if claims.get("iss") != _issuer() or token not in self._issued:
            raise TokenError("InvalidAuthenticationToken", "The access token was not issued here.")
        if claims["exp"] <= self._clock():
            raise TokenError("ExpiredAuthenticationToken", f"The token expired at {claims['exp']}.")
        allowed = {audience.rstrip("/").lower() for audience in audiences}
        if claims["aud"].rstrip("/").lower() not in allowed:
            raise TokenError("InvalidAuthenticationTokenAudience", f"'{claims['aud']}' is another audience.")
        return claims

    def _issue(self, resource: str, client: str, who: str) -> str:
        now = int(self._clock())
        claims = {
            "aud": resource,
            "iss": _issuer(),
            "iat": now,
            "nbf": now - EARLY,
            "exp": int(now + self.lifetime),
            "appid": client,
            "idtyp": "app" if who == APP else "user",
            "oid": OBJECT_IDS[who],
            "sub": OBJECT_IDS[who],
            **({} if who == APP else {"upn": "owner@example.com", "name": OWNER_NAME}),
            "tid": TENANT,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
        }
        return f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{_segment(claims)}."

    async def _app_service(self, request: web.Request) -> web.Response:
        given = request.headers.get("X-IDENTITY-HEADER")
        if given is None:
            return _refused(401, "the header X-IDENTITY-HEADER is missing")
        if given == OWNER:
            return self._answer(request, OWNER)
        if not secrets.compare_digest(given, self.header):
            return _refused(403, "the header X-IDENTITY-HEADER holds another value")
        return self._answer(request)

    async def _virtual_machine(self, request: web.Request) -> web.Response:
        if request.headers.get("Metadata", "").lower() != "true":
            return _refused(400, "Required metadata header not specified")
        return self._answer(request)

    def _answer(self, request: web.Request, who: str = APP) -> web.Response:
        query = request.query
        missing = [name for name in ("resource", "api-version") if not query.get(name)]
        if missing:
            return _refused(400, f"the query parameter '{missing[0]}' is missing")
        client = query.get("client_id", APPLICATION)
        if client != APPLICATION and client not in self.user_assigned:
            return _refused(400, f"no managed identity has the client id '{client}'")
        token = self._token(query["resource"], client, who)
        expires = _claims(token)["exp"]
        return web.json_response(
            {
                "access_token": token,
                "client_id": client,
                "expires_on": str(expires),
                "expires_in": str(int(expires - self._clock())),
                "resource": query["resource"],
                "token_type": "Bearer",
            }
        )


def _issuer() -> str:
    return f"https://sts.windows.net/{TENANT}/"


def _segment(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _claims(token: str) -> dict[str, Any]:
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _refused(status: int, text: str) -> web.Response:
    return web.json_response({"error": "invalid_request", "error_description": text}, status=status)
