"""Who calls GitHub: a personal access token, or an installation of a GitHub App.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.github.answers import GitHubError, not_found_error, require_keys

LEVELS = ("read", "write", "admin")
ALL = {"metadata": "read", "actions": "write", "contents": "write", "issues": "write"}
INSTALLATION = 42
SANDBOX_TOKEN = "a token of the sandbox"
"""What every app setting with a token holds in the sandbox."""
LONGEST_JWT = 600


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what they may do; `repository` is the only one that they see, or None for all."""

    login: str
    permissions: Mapping[str, str]
    repository: str | None = None
    is_app: bool = False

    def require(self, permission: str, level: str, repository: str) -> None:
        """Raise GitHubError for what the caller may not do."""
        if self.repository is not None and self.repository.lower() != repository.lower():
            raise not_found_error()
        granted = self.permissions.get(permission)
        if granted is None or LEVELS.index(granted) < LEVELS.index(level):
            kind = "integration" if self.is_app else "personal access token"
            raise GitHubError(403, f"Resource not accessible by {kind}")


def make_app_key() -> rsa.RSAPrivateKey:
    """A new key of a GitHub App."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class GitHubCallers:
    """The tokens that are known, and one GitHub App that is installed everywhere; any id without `app_id`."""

    tokens: dict[str, Caller] = field(default_factory=lambda: {SANDBOX_TOKEN: Caller("sandbox-user", ALL)})
    app_id: str = ""
    app_slug: str = "mlevents-sandbox"
    app_permissions: Mapping[str, str] = field(default_factory=lambda: ALL)
    make_key: Callable[[], rsa.RSAPrivateKey] = make_app_key

    @cached_property
    def private_key(self) -> str:
        """The key of the GitHub App as PEM, made at the first use."""
        form = serialization.PrivateFormat.TraditionalOpenSSL
        unencrypted = serialization.NoEncryption()
        return self._key.private_bytes(serialization.Encoding.PEM, form, unencrypted).decode()

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return self.make_key()

    def find(self, authorization: str | None) -> Caller:
        """Who has this token; raises GitHubError 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if not token:
            raise GitHubError(401, "Requires authentication")
        known = self.tokens.get(token.strip()) if scheme.lower() in ("bearer", "token") else None
        if known is None:
            raise GitHubError(401, "Bad credentials")
        return known

    def require_app(self, authorization: str | None) -> None:
        """Raise GitHubError for anything but a JWT of the app."""
        token = (authorization or "").partition(" ")[2]
        try:
            claims = jwt.decode(
                token, self._key.public_key(), algorithms=["RS256"], options={"verify_iss": False}
            )
        except jwt.ExpiredSignatureError:
            raise GitHubError(401, "'Expiration time' claim ('exp') is too far in the past") from None
        except jwt.InvalidTokenError:
            raise GitHubError(401, "A JSON web token could not be decoded") from None
        if claims["exp"] - datetime.now(UTC).timestamp() > LONGEST_JWT:
            raise GitHubError(401, "'Expiration time' claim ('exp') is too far in the future")
        if claims.get("iss") != (self.app_id or claims.get("iss")):
            raise GitHubError(404, "Integration not found")

    def describe_installation(self) -> dict[str, Any]:
        """What the app learns about its installation."""
        return {
            "id": INSTALLATION,
            "app_slug": self.app_slug,
            "permissions": dict(self.app_permissions),
            "repository_selection": "selected",
        }

    def issue(self, owner: str, body: Any) -> dict[str, Any]:
        """A token of the installation for one repository; raises GitHubError for what it has not."""
        asked = require_keys(body, (), ("repositories", "repository_ids", "permissions"))
        wanted: dict[str, str] = asked.get("permissions") or dict(self.app_permissions)
        for name, level in wanted.items():
            granted = self.app_permissions.get(name)
            if granted is None or LEVELS.index(granted) < LEVELS.index(level):
                raise GitHubError(422, "The permissions requested are not granted to this installation.")
        names = asked.get("repositories")
        token = f"ghs_{secrets.token_hex(18)}"
        place = f"{owner}/{names[0]}" if names else None
        self.tokens[token] = Caller(
            f"{self.app_slug}[bot]", {"metadata": "read", **wanted}, place, is_app=True
        )
        expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"token": token, "expires_at": expires, "permissions": wanted}
