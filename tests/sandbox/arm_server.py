"""The sandbox's Resource Manager on a free port, in a thread with its own loop, and clients for it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from mlevents.actions.permissions import permissions
from mlevents.services import arm_client, azure_credential, waiting
from mlevents.services.machine_learning import workspace_client
from mlevents.services.services import Services
from mlevents.settings import Settings
from sandbox.azure.identity import Identity
from sandbox.azure.resource_manager import ResourceManager
from sandbox.azure.rights.assignments import Assignment, Rights
from sandbox.azure.workspace import FACTORY_ID, WORKSPACE_ID
from sandbox.pace import Pace
from sandbox.tls import Certificates, issue
from sandbox.worker.shorter_waits import divide_wait

SPEED = 20_000.0
REGISTRY_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-models/providers"
    "/Microsoft.MachineLearningServices/registries/contoso-models"
)


@dataclass
class Server:
    """A running Resource Manager, its identity endpoint, and the events it raised so far."""

    manager: ResourceManager
    identity: Identity
    certificates: Certificates
    identity_url: str
    events: list[dict[str, Any]]
    session: requests.Session

    def settings(self, monkeypatch: pytest.MonkeyPatch, header: str = "") -> None:
        """Set what App Service and the operator would set; `header` is `owner` for a person."""
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{self.identity_url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", header or self.identity.header)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self.certificates.ca))

    def ml_client(self, **options: Any) -> Any:
        """The real MLClient, with the real managed identity credential."""
        from azure.ai.ml import MLClient
        from azure.identity import ManagedIdentityCredential

        parts = self.manager.workspace_id.split("/")
        metadata = {
            "azure_portal": "https://portal.azure.com/",
            "resource_manager": self.manager.base_url,
            "active_directory": "https://login.microsoftonline.com/",
            "aml_resource_id": "https://ml.azure.com",
            "storage_endpoint": "core.windows.net",
            "registry_discovery_endpoint": self.manager.base_url,
        }
        return MLClient(
            ManagedIdentityCredential(),
            parts[2],
            parts[4],
            parts[8],
            cloud=f"sandbox-{self.manager.base_url}",  # the SDK keeps the first metadata of a name for good
            cloud_metadata=metadata,
            connection_verify=str(self.certificates.ca),
            logging_enable=False,
            **options,
        )

    def data_factory_client(self) -> Any:
        """The real DataFactoryManagementClient."""
        from azure.identity import ManagedIdentityCredential
        from azure.mgmt.datafactory import DataFactoryManagementClient

        return DataFactoryManagementClient(
            ManagedIdentityCredential(),
            self.manager.factory_id.split("/")[2],
            base_url=self.manager.base_url,
            credential_scopes=["https://management.azure.com/.default"],
            retry_total=0,
        )

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """A plain call with a person's token; `path` that begins with no slash is within the workspace."""
        url = path if path.startswith("/") else f"{self.manager.workspace_id}/{path}"
        headers = {"Authorization": f"Bearer {self.identity.owner_token('https://management.azure.com')}"}
        headers |= options.pop("headers", {})
        query = {"api-version": "2024-10-01"} | options.pop("params", {})
        return self.session.request(
            method,
            self.manager.base_url + url,
            params=query,
            headers=headers,
            verify=str(self.certificates.ca),
            timeout=30,
            **options,
        )

    def fault(self, **fault: Any) -> requests.Response:
        """Ask for a fault."""
        return self.call("POST", "/_sandbox/faults", json=fault)


def of_every_element() -> list[Assignment]:
    """The rights of an app whose rules use every element with every parameter, and no more."""
    actions: dict[str, list[str]] = {}
    for need in permissions():
        if need.permission.connection in need.permission.given:
            continue  # in another workspace alone
        actions.setdefault(need.permission.scope, []).extend(need.permission.actions)
    scopes = {"workspace": WORKSPACE_ID, "data_factory": FACTORY_ID, "ml_registry": REGISTRY_ID}
    return [Assignment(id, tuple(actions[scope])) for scope, id in scopes.items()]


@contextmanager
def serving(folder: Path, speed: float = SPEED) -> Iterator[Server]:
    """Serve until the block ends."""
    events: list[dict[str, Any]] = []
    identity = Identity()
    manager = ResourceManager(Pace(speed), identity, events.append, Rights(of_every_element))
    certificates = issue(folder)
    loop = asyncio.new_event_loop()
    runners: list[web.AppRunner] = []

    async def start(application: web.Application, secure: bool) -> int:
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        context = certificates.context if secure else None
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        runners.append(runner)
        return int(runner.addresses[0][1])

    async def stop() -> None:
        for runner in runners:
            for connection in runner.server.connections if runner.server else ():
                if connection.transport:
                    connection.transport.abort()
            await runner.cleanup()
        await asyncio.sleep(0.1)  # closing TLS takes a turn of the loop more

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

    try:
        manager.base_url = f"https://127.0.0.1:{run(start(manager.application(), True))}"
        identity_url = f"http://127.0.0.1:{run(start(identity.application(), False))}"
        with requests.Session() as session:
            yield Server(manager, identity, certificates, identity_url, events, session)
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def until(look: Any, patience: float = 10.0) -> Any:
    """What `look` returns once it is truthy; fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


@contextmanager
def services_of(server: Server, monkeypatch: pytest.MonkeyPatch, **files: str) -> Iterator[Services]:
    """The app's services against this server, with the real SDKs; its faults are gone afterwards."""
    server.settings(monkeypatch)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")  # the SDK changes it, for good
    _forget()
    monkeypatch.setattr(waiting, "wait", divide_wait(SPEED))
    settings = Settings(resource_manager=server.manager.base_url, environment={})
    yield Services(settings, files=files)
    server.call("DELETE", "/_sandbox/faults")
    server.call("DELETE", "/_sandbox/permissions")
    _forget()


def _forget() -> None:
    azure_credential._credential.cache_clear()
    workspace_client._open.cache_clear()
    arm_client._pipeline.cache_clear()
