"""Where a URL leads: a token of ours goes to one server and to no other."""

from urllib.parse import urlsplit

PORTS = {"https": 443, "http": 80}


def same_origin(url: str, address: str) -> bool:
    """Whether both lead to one server: scheme, host without case, and port, which may be left out."""
    return _origin(url) == _origin(address)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
