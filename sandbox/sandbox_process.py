"""A sandbox in a process of its own, and a client for it.

The demo and the tests use it, so they see exactly what a user sees.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import requests

from sandbox.azure.identity import OWNER
from sandbox.event_grid.event_factory import EventFactory, Json
from sandbox.host.host_client import HostClient

ROOT = Path(__file__).resolve().parent.parent
UNDER_WAY = ("running", "waiting")
PATIENCE = 40.0


class Stage(EventFactory, HostClient):
    """A running sandbox; `ready` is its ready file, `pid` its process."""

    def __init__(self, ready: Json, pid: int = 0) -> None:
        self.ready = ready
        self.pid = pid
        self.workspace: str = ready["workspace"]

    def publish(self, *events: Json) -> requests.Response:
        """Publish events: Event Grid filters and delivers them."""
        answer = requests.post(self.ready["event_grid"], json=list(events), timeout=30)
        answer.raise_for_status()
        return answer

    def deliver(self, function: str, *events: Any, **headers: str) -> requests.Response:
        """Deliver events to a function directly, without filters."""
        return self.post(function, json.dumps(events), **headers)

    def post(self, function: str, body: str, **headers: str) -> requests.Response:
        """Send any body to a function's Event Grid webhook."""
        url = f"{self.ready['functions']}/runtime/webhooks/eventgrid?functionName={function}"
        sent = {"aeg-event-type": "Notification", "Content-Type": "application/json", **headers}
        return requests.post(url, data=body, headers=sent, timeout=60)

    def responses(self, subject: str | None = None, **query: str) -> list[Json]:
        """The responses; `event_id`, `rule` and `subject` filter them."""
        url, key = f"{self.ready['functions']}/api/responses", self.ready.get("function_key")
        answer = requests.get(url, params=query, headers={"x-functions-key": key}, timeout=30)
        answer.raise_for_status()
        found: list[Json] = answer.json()
        return [one for one in found if subject in (None, one["event"]["subject"])]

    def settled(self, subject: str | None = None, **query: str) -> list[Json]:
        """The responses once there is one and all have ended; raises TimeoutError."""

        def found() -> list[Json]:
            those = self.responses(subject, **query)
            return [] if any(one["status"] in UNDER_WAY for one in those) else those

        return until(found, PATIENCE, lambda: f"still: {self.responses(subject, **query)}")

    def settled_or_none(self, subject: str | None = None, **query: str) -> list[Json]:
        """The responses as `settled` gives them, or none when there is none now."""
        return self.settled(subject, **query) if self.responses(subject, **query) else []

    def token(self) -> str:
        """A token for Resource Manager of a person who has every right."""
        answer = requests.get(
            self.ready["identity"],
            params={"resource": "https://management.azure.com", "api-version": "2019-08-01"},
            headers={"X-IDENTITY-HEADER": self.environment()["IDENTITY_HEADER"]},
            timeout=30,
        )
        return str(answer.json()["access_token"])

    def arm(self, path: str, method: str = "GET", body: Json | None = None) -> Json:
        """The answer of Resource Manager to a REST request."""
        url, headers = f"{self.ready['arm']}{path}", {"Authorization": f"Bearer {self.token()}"}
        answer = requests.request(
            method, url, json=body, headers=headers, verify=self.ready["ca"], timeout=30
        )
        answer.raise_for_status()
        found: Json = answer.json() if answer.content else {}
        return found

    def endpoint_key(self, name: str) -> str:
        """A key of an online endpoint."""
        path = f"{self.workspace}/onlineEndpoints/{name}/listKeys?api-version=2023-08-01-preview"
        return str(self.arm(path, "POST")["primaryKey"])

    def traffic_seen(self, endpoint: str) -> list[Json]:
        """Every state of an endpoint, one entry for each change."""
        url = f"{self.ready['arm']}/_sandbox/traffic"
        entries = requests.get(url, verify=self.ready["ca"], timeout=30).json()
        return [entry["endpoints"][endpoint] for entry in entries if endpoint in entry["endpoints"]]

    def register(self, name: str, version: str, tags: Json) -> None:
        """Register a model over ARM, as any client of Azure ML does; the workspace raises its event."""
        model = {
            "tags": tags,
            "modelType": "mlflow_model",
            "modelUri": "azureml://jobs/j/outputs/artifacts/paths/m",
        }
        path = f"{self.workspace}/models/{name}/versions/{version}?api-version=2023-08-01-preview"
        self.arm(path, "PUT", {"properties": model})

    def inbox(self) -> list[Json]:
        """What arrived by mail and webhook."""
        found: list[Json] = requests.get(self.ready["inbox"], timeout=30).json()
        return found

    def fault(self, **fault: Any) -> None:
        """Inject a failure; see `sandbox/azure/faults.py`."""
        requests.post(self.ready["faults"], json=fault, timeout=30).raise_for_status()

    def load(self, endpoint: str, rps: float, **more: Any) -> None:
        """Give an endpoint synthetic traffic until it is changed; see `azure.machine_learning.load`."""
        wanted = {"endpoint": endpoint, "rps": rps, **more}
        requests.post(self.ready["load"], json=wanted, timeout=30).raise_for_status()

    def faults(self) -> list[Json]:
        """The requested failures, with how often each still happens."""
        found: list[Json] = requests.get(self.ready["faults"], timeout=30).json()
        return found

    def requests_seen(self, method: str = "") -> list[Json]:
        """The requests to Azure Resource Manager, in order."""
        url = f"{self.ready['arm']}/_sandbox/requests"
        found: list[Json] = requests.get(url, verify=self.ready["ca"], timeout=30).json()
        return [one for one in found if one["method"].startswith(method)]

    def environment(self) -> dict[str, str]:
        """The environment in which Azure's SDKs and our commands find this sandbox, as a person's."""
        return {
            "IDENTITY_ENDPOINT": self.ready["identity"],
            "IDENTITY_HEADER": OWNER,
            "REQUESTS_CA_BUNDLE": self.ready["ca"],
            "MLEVENTS_RESOURCE_MANAGER": self.ready["arm"],
        }

    def azure_ml(self) -> Any:
        """Azure ML's own MLClient for the sandbox's workspace; needs `environment` to be set."""
        from mlevents.services.machine_learning.workspace_client import ml_client

        return ml_client(self.workspace, self.ready["arm"])


def until[T](look: Callable[[], T], patience: float, otherwise: Callable[[], str]) -> T:
    """What `look` returns once it is truthy; raises TimeoutError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise())
        time.sleep(0.05)
    return found


def launch(words: Sequence[str], log: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Start `python -m sandbox WORDS…`, which writes to `log` or to our standard error."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "sandbox", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log)


@contextmanager
def stage(
    rules: Path | None = None, speed: float = 60, *options: str, log: IO[bytes] | None = None
) -> Iterator[Stage]:
    """Start a sandbox on free ports, and stop it at the end; its warnings go to `log` or to stderr."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        words = ["up", "--port", "0", "--speed", str(speed), "--ready-file", str(ready)]
        words += [*(["--rules", str(rules)] if rules else []), *options]
        with launch(words, log) as process:
            try:
                yield Stage(wait_until_ready(ready, process), process.pid)
            finally:
                process.send_signal(signal.SIGTERM)


def wait_until_ready(file: Path, process: subprocess.Popen[bytes]) -> Json:
    """The ready file's content; raises RuntimeError when the sandbox ends instead."""

    def look() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the sandbox ended with exit code {process.returncode}; see above")
        return file.exists()

    until(look, 60, lambda: "the sandbox is not ready after 60 s")
    found: Json = json.loads(file.read_text())
    return found
