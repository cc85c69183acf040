"""Azure on loopback for unit tests: an identity, and an authority to trust."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from mlevents.services import arm_client, azure_credential
from mlevents.services.mail import email
from mlevents.services.streams import event_grid, storage_queue
from tests.unit.stand_ins import Authority, Server, authority, identity

SDK_CLIENTS = (
    *(one._client for one in (email, event_grid, storage_queue)),
    azure_credential._credential,
    arm_client._pipeline,
)


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority; `cloud` makes the SDKs trust it."""
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def cloud(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    """The app's surroundings in Azure; what is entered on the stack is served until the test ends."""
    with ExitStack() as stack:
        server = stack.enter_context(Server(identity, None).serving())
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "header")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted.ca))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted.ca))
        _forget()
        yield stack
        _forget()


def _forget() -> None:
    for made_once in SDK_CLIENTS:
        made_once.cache_clear()
