"""The link of an approval: its token, and what the app keeps to recognise it.

A token is a keyed hash (HMAC-SHA256) of what it decides and of a random number, with the app's secret, so an
activity that runs twice sends the same link. It is never stored: the app keeps a hash of it, together with
what it decides, so that a token for another response, attempt, phase or rule does not fit.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlevents.canonical import join_parts

_KEY_LENGTH = 16
"""Hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class ApprovalSubject:
    """What is approved: an attempt of a response, the place where it waits, and the digest of the plan."""

    attempt: str
    place: str
    plan: str

    @property
    def key(self) -> str:
        """The name of this approval among all others; no secret."""
        return self._digest("key")[:_KEY_LENGTH]

    def make_token(self, secret: str, nonce: str) -> str:
        """The token for this subject: 43 letters, digits, `-` and `_`."""
        text = join_parts("approval", nonce, self.attempt, self.place, self.plan)
        found = hmac.digest(
            secret.encode("utf-8", "surrogatepass"), text.encode("utf-8", "replace"), "sha256"
        )
        return base64.urlsafe_b64encode(found).decode().rstrip("=")

    def hash_token(self, token: str) -> str:
        """What is stored of a token."""
        return self._digest(token)

    def is_token(self, token: str, stored: str) -> bool:
        """Whether this is the token of which the hash is stored, for this subject."""
        return hmac.compare_digest(self.hash_token(token), stored)

    def _digest(self, text: str) -> str:
        parts = join_parts(text, self.attempt, self.place, self.plan)
        return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()


def digest_plan(rule: str, steps: Sequence[Mapping[str, Any]], gates: Mapping[str, Any]) -> str:
    """The digest of a rule as a response carries it: these steps and gates."""
    text = json.dumps([rule, list(steps), dict(gates)], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
