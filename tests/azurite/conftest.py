"""Azurite, Microsoft's emulator of Azure Storage, over TLS, with the app's identity.

It has no keys here: `--oauth basic` accepts a token of any identity for Azure Storage that has not expired.
"""

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from mlevents.services.azure_credential import _credential
from tests.processes.node_package import find_program, install_packages
from tests.unit.stand_ins import Answer, Request, Server

HERE = Path(__file__).parent
PROGRAM = Path("node_modules", "azurite", "dist", "src", "azurite.js")
ACCOUNT = "devstoreaccount1"
LONGEST_START = 60.0


@dataclass(frozen=True)
class Azurite:
    """The addresses of the account's blobs and queues, and the file of the authority to trust."""

    blobs: str
    queues: str
    authority: Path


def make_token(request: Request) -> Answer:
    """An unsigned token for Azure Storage, as the managed identity endpoint answers."""
    now = int(time.time())
    claims = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 86_400,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in ({"alg": "none"}, claims)]
    token = ".".join([*(part.rstrip("=") for part in parts), "none"])
    return Answer(body={"access_token": token, "expires_on": str(now + 86_400), "token_type": "Bearer"})


def find_free_port() -> int:
    """A port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite, until the tests end."""
    folder = tmp_path_factory.mktemp("azurite")
    issuer = trustme.CA()
    issued = issuer.issue_cert("127.0.0.1")
    issuer.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "cert.pem").write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
    ports = {name: find_free_port() for name in ("blob", "queue", "table")}
    command = [find_program("node"), str(install_packages(HERE) / PROGRAM), "--silent", "--oauth", "basic"]
    command += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    command += ["--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]
    for name, port in ports.items():
        command += [f"--{name}Host", "127.0.0.1", f"--{name}Port", str(port)]
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            for port in ports.values():
                wait_for_port(port)
            blobs, queues = (f"https://127.0.0.1:{ports[name]}/{ACCOUNT}" for name in ("blob", "queue"))
            yield Azurite(blobs, queues, folder / "ca.pem")
        finally:
            process.terminate()


def wait_for_port(port: int) -> None:
    """Return once something listens there; raises TimeoutError."""
    deadline = time.monotonic() + LONGEST_START
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"Azurite does not listen at port {port}")
        time.sleep(0.05)


@pytest.fixture
def azurite(running: Azurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azurite]:
    """Azurite, with an identity that this process finds as an app on Azure does."""
    with Server(make_token, None).serving() as identity:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{identity.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(running.authority))
        _credential.cache_clear()
        yield running
        _credential.cache_clear()
