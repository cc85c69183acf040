"""A certificate for this machine alone, from an authority that lives as long as the sandbox."""

import ssl
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
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    folder.mkdir(parents=True, exist_ok=True)
    ca = folder / "ca.pem"
    ca.write_bytes(authority.cert_pem.bytes() + b"\n" + Path(certifi.where()).read_bytes())
    return Certificates(ca, context)
