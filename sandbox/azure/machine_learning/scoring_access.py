"""Who may call an endpoint's scoring address: by key, by the endpoint's token, or by Microsoft Entra."""

from sandbox.azure.errors import ArmError
from sandbox.azure.identity import Identity, TokenError
from sandbox.azure.machine_learning.online_state import Endpoint
from sandbox.azure.rights.authorization import Authorization, authorization_error
from sandbox.azure.rights.requested_actions import SCORE, RequestedAction
from sandbox.pace import Pace

ML_AUDIENCES = ("https://ml.azure.com", "https://ai.azure.com")


class ScoringAccess:
    """Checks the Authorization header of a scoring request."""

    def __init__(self, pace: Pace, identity: Identity, authorization: Authorization) -> None:
        self._pace = pace
        self._identity = identity
        self._authorization = authorization

    def check(self, endpoint: Endpoint, authorization: str | None) -> None:
        """Raise ArmError 401 or 403 for a caller that may not score."""
        if endpoint.resource["properties"]["authMode"] == "AADToken":
            try:
                self._identity.check(authorization, ML_AUDIENCES)
            except TokenError as error:
                raise ArmError(401, error.code, str(error)) from error
            who, scope = self._identity.who(authorization), str(endpoint.resource["id"])
            if not self._authorization.rights.allowed(who, SCORE, scope):
                raise authorization_error(who, RequestedAction(SCORE, scope))
            return
        given = (authorization or "").removeprefix("Bearer ").strip()
        now = self._pace.now().timestamp()
        keys = endpoint.keys.values() if endpoint.resource["properties"]["authMode"] == "Key" else ()
        valid = {*keys, *(token for token, expiry in endpoint.tokens.items() if expiry > now)}
        if given not in valid:
            raise ArmError(401, "Unauthorized", "The key or token is missing or not valid for this endpoint.")
