"""The blobs of one container of Azure Storage, read with the caller's identity.

https://learn.microsoft.com/rest/api/storageservices/list-blobs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from mlevents.errors import ConfigError, RefusedError
from mlevents.services.azure_credential import CLIENT_OPTIONS, credential
from mlevents.services.lazy_import import import_lock
from mlevents.services.sdk_errors import clean_text, translate_errors

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_REMEDIES: Mapping[int, str] = {
    403: "the caller needs the role Storage Blob Data Reader on the container, and a way through the "
    "account's firewall",
    404: "correct the address of the container",
}
_TRIES = 3
"""No orchestration repeats a command's request, so the SDK does."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """One blob: when it was last written (UTC), and its size in bytes."""

    name: str
    modified: datetime
    size: int


@dataclass(frozen=True, slots=True)
class ContainerAddress:
    """Where a container is; `prefix` is the beginning of the names that are meant."""

    account: str
    container: str
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """From `https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX]`; raises ConfigError.

        An emulator has the account as the first part of the path: `https://127.0.0.1:10000/ACCOUNT/CONTAINER`.
        """
        parts, shown = urlsplit(url), clean_text(url.partition("?")[0])
        if parts.scheme != "https":
            raise ConfigError(f"'{shown}' is not https: a token is sent over https only")
        if parts.query:
            raise ConfigError(f"'{shown}' has a query: leave it out, because replay signs in as you")
        path = [unquote(part) for part in parts.path.split("/") if part]
        at_host = 1 if _is_emulator(parts.hostname or "") else 0
        if len(path) <= at_host:
            example = "https://ACCOUNT.blob.core.windows.net/dead-letters"
            raise ConfigError(f"'{shown}' names no container: give an address such as {example}")
        account = "/".join([f"https://{parts.netloc}", *path[:at_host]])
        return cls(account, path[at_host], "/".join(path[at_host + 1 :]))

    @property
    def url(self) -> str:
        """The address of the container alone."""
        return f"{self.account}/{self.container}"


class BlobContainer:
    """One container, or what begins with a prefix in it; raises PermanentError or TransientError."""

    def __init__(self, address: ContainerAddress) -> None:
        self.address = address
        self._client: ContainerClient | None = None

    def list_blobs(self, since: datetime | None = None, /) -> Iterator[StoredBlob]:
        """Every blob that was written since then, in the order of names; one request for up to 5,000."""
        with translate_refusals(f"listing the container '{self.address.url}'"):
            for one in self._open().list_blobs(name_starts_with=self.address.prefix or None):
                if since is None or one.last_modified >= since:
                    yield StoredBlob(one.name, one.last_modified, one.size)

    def read(self, name: str) -> bytes:
        """The content of one blob."""
        with translate_refusals(f"reading the blob '{name:.300}'"):
            return bytes(self._open().download_blob(name).readall())

    def _open(self) -> ContainerClient:
        if self._client is None:
            with import_lock():
                from azure.storage.blob import ContainerClient

            options = CLIENT_OPTIONS | {"retry_total": _TRIES}
            address = self.address
            self._client = ContainerClient(address.account, address.container, credential(), **options)
        return self._client


@contextmanager
def translate_refusals(what: str) -> Iterator[None]:
    """As `translate_errors`, with the remedy for who may not read the container, or has its name wrong."""
    try:
        with translate_errors(what):
            yield
    except RefusedError as error:
        fact = clean_text(f"{what}: Azure answered {error.status} {error.answer}")
        text = f"{fact}: {_REMEDIES[error.status]}" if error.status in _REMEDIES else str(error)
        raise RefusedError(text, status=error.status, answer=error.answer) from error


def _is_emulator(host: str) -> bool:
    """Whether this is no host of Azure Storage: an address, or a name without a dot."""
    try:
        ip_address(host)
    except ValueError:
        return "." not in host
    return True
