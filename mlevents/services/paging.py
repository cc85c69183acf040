"""Where a URL leads: pages of one list come from one host, because a token goes with each request."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from mlevents.errors import PermanentError

PORTS = {"https": 443, "http": 80}


def next_page(page: str, link: Any) -> str | None:
    """The page after this one; None after the last.

    Raises PermanentError for a link to another host, where our token must not go, and ValueError for
    what is not a link.
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
        "which answered: no token is sent there; see who answers for that host in your network"
    )


def same_origin(url: str, address: str) -> bool:
    """Whether both lead to one server: scheme, host without case, and port, which may be left out."""
    try:
        return _origin(urlsplit(url)) == _origin(urlsplit(address))
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, the usual port spelled out."""
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)
