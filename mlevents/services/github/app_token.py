"""Tokens of a GitHub App: a JWT that the app signs, and the token of its installation in a repository.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
A token lives one hour. It is requested for one repository and the permissions that an action needs.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mlevents.errors import PermanentError
from mlevents.services.answer_fields import require_text, require_time
from mlevents.services.github.refusals import translate_refusal
from mlevents.services.http.http_client import HttpClient
from mlevents.services.http.rest_client import RestClient
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import translate_errors

CLOCK_SKEW, LIFETIME = timedelta(seconds=60), timedelta(minutes=9)
"""The JWT is dated back, and lives at most ten minutes in all: GitHub refuses a longer one."""
EARLY = timedelta(minutes=5)
"""A token that expires sooner is renewed."""
API_HEADERS = {
    "Accept": "application/vnd.github+json",
    "Accept-Encoding": "identity",
    "User-Agent": "mlevents",
    "X-GitHub-Api-Version": "2022-11-28",
}
"""The version that GitHub Enterprise Server knows too; GitHub refuses a request without a User-Agent."""


@dataclass(frozen=True, slots=True)
class GitHubApp:
    """A GitHub App: its id or client id, its private key, and the app setting that holds the key."""

    id: str
    private_key: str = field(repr=False)
    setting: str

    def sign(self, now: datetime) -> str:
        """A JWT that proves the app; raises PermanentError for a key that is not a private key."""
        with import_lock():
            import jwt

        claims = {"iat": now - CLOCK_SKEW, "exp": now + LIFETIME, "iss": self.id}
        try:
            return jwt.encode(claims, self.private_key.replace("\\n", "\n"), algorithm="RS256")
        except Exception:  # noqa: BLE001 - whatever it raises may quote the key
            raise PermanentError(
                f"the app setting '{self.setting}' is not a private key: write the PEM file of the GitHub App"
            ) from None


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """A token of an app's installation, and the name under which GitHub shows what it does."""

    text: str = field(repr=False)
    expires: datetime
    actor: str


_tokens: dict[tuple[str, ...], InstallationToken] = {}
_lock = threading.Lock()


def get_installation_token(
    key: GitHubApp, base: str, client: HttpClient, repository: str, permissions: Mapping[str, str]
) -> InstallationToken:
    """A token for one repository with these permissions, such as `{actions: write}`; kept until it expires.

    Raises PermanentError when the app is not installed there, or has not these permissions.
    """
    secret = hashlib.sha256(key.private_key.encode()).hexdigest()
    place = (base, key.id, secret, repository, *sorted(map("=".join, permissions.items())))
    now = datetime.now(UTC)
    with _lock:
        known = _tokens.get(place)
    if known is None or known.expires - EARLY < now:
        signed = {**API_HEADERS, "Authorization": f"Bearer {key.sign(now)}"}
        asked = RestClient(base, client, lambda: signed, translate_refusal)
        known = _request_token(asked, repository, permissions)
        with _lock:
            _tokens[place] = known
    return known


def forget_tokens() -> None:
    """Forget every token, so that the next request asks for a new one."""
    with _lock:
        _tokens.clear()


def _request_token(app: RestClient, repository: str, permissions: Mapping[str, str]) -> InstallationToken:
    with translate_errors(f"getting a token of the GitHub App for {repository}"):
        installation = app.get(f"/repos/{repository}/installation")
        path = f"/app/installations/{int(installation['id'])}/access_tokens"
        wanted = {"repositories": [repository.partition("/")[2]], "permissions": dict(permissions)}
        granted: Any = app.send("POST", path, wanted, expected=(201,)).read_json()
        return InstallationToken(
            require_text(granted["token"], "the token"),
            require_time(granted["expires_at"], "its end"),
            f"{require_text(installation['app_slug'], 'the name of the app')}[bot]",
        )
