"""Any HTTP service: a base address, headers, and how a call proves who sends it.

```yaml
connections:
  model-catalogue:
    type: http
    base: https://catalogue.example.com/api
    headers: {X-Team: mlops, X-Api-Key: {setting: CATALOGUE_KEY}}
  internal-cd:
    type: http
    base: {setting: CD_ADDRESS}
    token_for: api://cd.example.com        # a token of the app's identity for this audience
    sign: {setting: CD_SIGNING_SECRET}     # Standard Webhooks: the headers webhook-id, -timestamp, -signature
    allow_private: true                    # an address in your own network
```

Addresses are https. Name resolution and every redirect are checked: no private, loopback or link-local
address is called unless `allow_private` is set, and the cloud's own addresses never.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from mlevents.errors import PermanentError
from mlevents.services.azure_credential import credential
from mlevents.services.connection import Connection, SettingName, SettingSource, Text, connection
from mlevents.services.finding import Finding, run_check
from mlevents.services.http.address_check import resolve_allowed
from mlevents.services.http.http_client import HttpCall, HttpClient
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import translate_errors

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
OWN_HEADERS = frozenset(
    ("host", "content-length", "content-type", "transfer-encoding", "connection", "idempotency-key")
)
"""Headers that a call sets itself."""
SECRET_HEADERS = re.compile(r"authorization|cookie|key|token|secret|password", re.IGNORECASE)


def _base(value: str | SettingName) -> str | SettingName:
    if isinstance(value, str):
        read_base(value, "`base`", allow_private=True)
    return value


def _headers(headers: dict[str, str | SettingName]) -> dict[str, str | SettingName]:
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"'{name}' is not a valid name for a header: use letters, digits and '-'")
        if name.lower() in OWN_HEADERS:
            raise ValueError(f"the header '{name}' is set by mlevents: leave it out")
        if isinstance(value, str) and SECRET_HEADERS.search(name):
            raise ValueError(f"the header '{name}' holds a secret: write it as {{setting: NAME}}")
    return headers


@connection("http")
class Http(Connection):
    """An HTTP service that `call_http` can call."""

    model_config = ConfigDict(hide_input_in_errors=True)
    synonyms: ClassVar[tuple[str, ...]] = ("https", "rest", "api")
    example: ClassVar[str] = "`{type: http, base: https://…}`"

    base: Annotated[Text, AfterValidator(_base)]
    """write the address with which each call begins, such as https://catalogue.example.com/api."""
    headers: Annotated[dict[str, Text], AfterValidator(_headers), Field(repr=False, default_factory=dict)]
    """Headers of each call; a secret is `{setting: NAME}`."""
    token_for: Text | None = None
    """The audience of a token of the app's identity, sent as `Authorization: Bearer`."""
    sign: Annotated[SettingName | None, Field(repr=False)] = None
    """The app setting with the secret that signs each call as Standard Webhooks say, such as `whsec_…`."""
    allow_private: bool = False
    """Allows private, loopback and link-local addresses, and `http://`, for a service in your own network."""

    def address(self, services: SettingSource, path: str) -> str:
        """The base with this path; raises PermanentError for a path that leaves the base."""
        what = f"the app setting '{self.base.setting}'" if isinstance(self.base, SettingName) else "`base`"
        try:
            text, literal = services.text(self.base), isinstance(self.base, str)
            base = read_base(text, what, allow_private=self.allow_private, quoted=literal)
        except ValueError as error:
            raise PermanentError(str(error)) from None
        return join_address(base, path)

    def client(self, services: SettingSource) -> HttpClient:
        """What sends calls of this connection."""
        return HttpClient(self.allow_private, services.settings.environment.get("REQUESTS_CA_BUNDLE"))

    def authenticate(self, call: HttpCall, key: str, services: SettingSource, now: datetime) -> HttpCall:
        """The call with the headers that prove who sends it; `key` identifies the message.

        Raises ConfigError for a setting that is not set, PermanentError for one that cannot be used.
        """
        headers = {name: services.text(value) for name, value in self.headers.items()} | dict(call.headers)
        if self.token_for is not None:
            headers["Authorization"] = f"Bearer {get_token(services.text(self.token_for))}"
        if self.sign is not None:
            headers |= sign_message(services.text(self.sign), self.sign.setting, key, call.body or b"", now)
        for name, value in headers.items():
            if not value.isprintable() or not value.isascii():
                raise PermanentError(f"the header '{name}' has characters that no header can have")
        return HttpCall(call.method, call.address, headers, call.body)

    def find_fault(self, environment: Mapping[str, str], unsafe: bool = False) -> str | None:  # noqa: ARG002
        """Why nothing can be sent to it; None when a setting is missing."""
        base = self.base if isinstance(self.base, str) else environment.get(self.base.setting)
        if not base:
            return None
        try:
            literal = isinstance(self.base, str)
            read_base(base, "its address", allow_private=self.allow_private, quoted=literal)
        except ValueError as error:
            return str(error)
        return None

    def preflight(self, services: SettingSource) -> Iterator[Finding]:
        """Check the address, the settings and the token, without calling the service."""

        def is_ready() -> str:
            address = urlsplit(self.address(services, ""))
            port = address.port or (443 if address.scheme == "https" else 80)
            resolve_allowed(address.hostname or "", port, allow_private=self.allow_private)
            self.authenticate(HttpCall("GET", address.geturl()), "doctor", services, datetime.now(UTC))
            return f"'{address.hostname}' may be called; nothing was sent"

        yield run_check("base", is_ready, "correct `base`, or the settings of the connection")


def read_base(text: str, what: str, *, allow_private: bool, quoted: bool = True) -> str:
    """A base address without a `/` at its end; raises ValueError for one that cannot be called."""
    parts = urlsplit(text)
    named = f"{what} '{text}'" if quoted else what
    try:
        port_is_valid = parts.port != 0
    except ValueError:
        port_is_valid = False
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_is_valid:
        raise ValueError(f"{named} is not an address: write one such as https://catalogue.example.com/api")
    if parts.username or parts.password:
        raise ValueError(f"{what} holds a user or password: put it into a header, as {{setting: NAME}}")
    if parts.query or parts.fragment:
        raise ValueError(f"{named} has a query or a fragment: write them in the step's `query`")
    if parts.scheme == "http" and not allow_private:
        raise ValueError(
            f"{named} is not encrypted: write https://, or `allow_private: true` for your own network"
        )
    return text.rstrip("/")


def join_address(base: str, path: str) -> str:
    """An address below the base; raises PermanentError for a path that leads elsewhere."""
    if not path:
        return base
    pieces = path.partition("?")[0].replace("\\", "/").split("/")
    if "://" in path or path.startswith("//") or any(_is_dots(piece) for piece in pieces):
        raise PermanentError(f"the path '{path}' leads away from the connection's base: write one below it")
    if any(sign in path for sign in "?#") or not path.isprintable():
        raise PermanentError(f"the path '{path}' has a query or a sign that no path has: use `query`")
    return f"{base}/{path.removeprefix('/')}"


def _is_dots(piece: str) -> bool:
    return piece.lower().replace("%2e", ".") in (".", "..")


def get_token(audience: str) -> str:
    """A token of the app's identity for an audience."""
    scope = audience if audience.endswith("/.default") else f"{audience.rstrip('/')}/.default"
    with translate_errors(f"getting a token for '{audience}'"):
        return credential().get_token(scope).token


def sign_message(secret: str, setting: str, key: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks: https://www.standardwebhooks.com; `now` is aware."""
    with import_lock():
        from standardwebhooks import Webhook

    try:
        signature = Webhook(secret).sign(key, now, body.decode())
    except Exception:  # noqa: BLE001 - whatever it raises may quote the secret
        raise PermanentError(
            f"the app setting '{setting}' is not a signing secret: write whsec_ and base64"
        ) from None
    timestamp = str(int(now.timestamp()))
    return {"webhook-id": key, "webhook-timestamp": timestamp, "webhook-signature": signature}
