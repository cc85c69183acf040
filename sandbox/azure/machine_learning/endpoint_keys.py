"""The keys and tokens with which clients call an online endpoint."""

import secrets

from aiohttp import web

from sandbox.azure.errors import ArmError, user_error
from sandbox.azure.machine_learning.endpoints import COLLECTION
from sandbox.azure.machine_learning.online_state import Endpoint, Endpoints, new_key
from sandbox.azure.operations import Operations, Work
from sandbox.azure.routes import Call, Routes
from sandbox.pace import Pace

REGENERATE = 5
TOKEN_LIFE, TOKEN_REFRESH = 12 * 60 * 60, 11 * 60 * 60


class EndpointKeys:
    """Serves the keys and tokens of the online endpoints."""

    def __init__(self, pace: Pace, operations: Operations, endpoints: Endpoints) -> None:
        self._pace = pace
        self._operations = operations
        self._endpoints = endpoints

    def register(self, routes: Routes) -> None:
        """Serve the keys, a token, and new keys."""
        one = f"{COLLECTION}/{{endpoint}}"
        routes.add("POST", f"{one}/listKeys", self._keys)
        routes.add("POST", f"{one}/token", self._token)
        routes.add("POST", f"{one}/regenerateKeys", self._regenerate)

    async def _keys(self, call: Call) -> web.Response:
        endpoint = self._named(call)
        _check_mode(endpoint, "Key")
        return web.json_response(endpoint.keys)

    async def _token(self, call: Call) -> web.Response:
        endpoint = self._named(call)
        _check_mode(endpoint, "AMLToken")
        now = int(self._pace.now().timestamp())
        token = secrets.token_urlsafe(48)
        endpoint.tokens[token] = now + TOKEN_LIFE
        return web.json_response(
            {
                "accessToken": token,
                "tokenType": "Bearer",
                "expiryTimeUtc": now + TOKEN_LIFE,
                "refreshAfterTimeUtc": now + TOKEN_REFRESH,
            }
        )

    async def _regenerate(self, call: Call) -> web.Response:
        endpoint = self._named(call)
        _check_mode(endpoint, "Key")
        body = await call.body() or {}
        kinds = {"primary": "primaryKey", "secondary": "secondaryKey"}
        kind = kinds.get(str(body.get("keyType")).lower())
        if kind is None:
            raise ArmError(400, "BadRequest", f"'keyType' is {body.get('keyType')!r}: Primary or Secondary.")
        value = body.get("keyValue") or new_key()
        endpoint.check_free(f"regenerate the keys of endpoint {endpoint.name}")

        def done() -> None:
            endpoint.keys[kind] = value

        endpoint.operation = self._operations.begin(Work("oe", REGENERATE, done), call.failure)
        return self._operations.answer_location(call, endpoint.operation)

    def _named(self, call: Call) -> Endpoint:
        return self._endpoints.get(call.names["endpoint"], call.request.path)


def _check_mode(endpoint: Endpoint, mode: str) -> None:
    known = endpoint.resource["properties"]["authMode"]
    if known != mode:
        raise user_error(f"Endpoint {endpoint.name} uses {known} for authentication, not {mode}.")
