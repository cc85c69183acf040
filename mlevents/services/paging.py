"""The pages of a list: all must come from one host, because each request carries a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from mlevents.errors import PermanentError

PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a list; `following` asks for the next page, None after the last."""

    values: tuple[T, ...]
    following: str | None


def next_page(page: str, link: Any) -> str | None:
    """The URL of the next page; None after the last page.

    Raises PermanentError for a link to another host, which must not get the token, and ValueError for a
    value that is not a link.
    """
    if not link:
        return None
    if not isinstance(link, str):
        raise ValueError("nextLink is not a text")  # noqa: TRY004 - as all that is unreadable
    following = urljoin(page, link)
    if same_origin(following, page):
        return following
    raise PermanentError(
        f"nextLink names another host, '{urlsplit(following).hostname}', than '{urlsplit(page).hostname}', "
        "which answered: no token is sent there. Find out which server in your network answers for that host"
    )


def same_origin(url: str, address: str) -> bool:
    """Whether both URLs have the same scheme, host (without case) and port, given or default."""
    try:
        return _origin(urlsplit(url)) == _origin(urlsplit(address))
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, with the default port filled in."""
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)
