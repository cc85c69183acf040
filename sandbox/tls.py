"""A certificate for this machine alone, from an authority that lives as long as the sandbox."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """`ca` is the file that clients trust, `context` what a server presents."""

    ca: Path
    context: ssl.SSLContext


def issue(folder: Path) -> Certificates:
    """Issue a certificate for 127.0.0.1 and localhost; `folder` receives the file that clients trust.

    The file holds the public authorities too: REQUESTS_CA_BUNDLE replaces a client's whole list,
    and what it says elsewhere must still be trusted. No private key is written.
    """
    authority = trustme.CA(organization_name="mlevents sandbox")
    context = _issue_for(authority, "127.0.0.1", "localhost")
    context.sni_callback = _choose_certificate(authority)
    folder.mkdir(parents=True, exist_ok=True)
    ca = folder / "ca.pem"
    ca.write_bytes(authority.cert_pem.bytes() + b"\n" + Path(certifi.where()).read_bytes())
    return Certificates(ca, context)


def _issue_for(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def _choose_certificate(authority: trustme.CA) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
    """Present a certificate for the host that the client names: in the app every host is this machine."""
    known: dict[str, ssl.SSLContext] = {}

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name and name != "localhost":
            if name not in known:
                known[name] = _issue_for(authority, name)
            connection.context = known[name]

    return choose
