"""The small app on a sandbox in this process, on an event loop of its own, for tests that just ask."""

import asyncio
import json
import os
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.options import Options
from sandbox.sandbox import Sandbox

APPS = Path(__file__).with_name("apps")
FINISHED = ("COMPLETED", "FAILED", "TERMINATED")


class Recorded:
    """What the small app, in its own process, recorded; and the gate that its activity waits at."""

    def __init__(self, url: str) -> None:
        self._api = f"{url}/api"

    @property
    def seen(self) -> list[Any]:
        return requests.get(f"{self._api}/recorded/SEEN", timeout=20).json()

    @property
    def calls(self) -> list[Any]:
        return requests.get(f"{self._api}/recorded/CALLS", timeout=20).json()

    def forget(self) -> None:
        for what in ("SEEN", "CALLS"):
            requests.delete(f"{self._api}/recorded/{what}", timeout=20).raise_for_status()

    def gate(self, way: str) -> None:
        requests.post(f"{self._api}/gate/{way}", timeout=20).raise_for_status()

    def setting(self, name: str) -> str | None:
        return requests.get(f"{self._api}/settings/{name}", timeout=20).json()


class Small:
    """A running sandbox of the small app."""

    def __init__(self, sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        self.sandbox, self.loop = sandbox, loop
        self.ready = sandbox.ready
        self.url = sandbox.ready["functions"]
        self.app = Recorded(self.url)

    def run[T](self, work: Awaitable[T]) -> T:
        async def working() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(working(), self.loop).result(30)

    def control(self, verb: str, **how: Any) -> requests.Response:
        return requests.post(f"{self.ready['host']}/{verb}", json=how, timeout=30)

    def restart(self, **how: Any) -> None:
        for answer in (self.control("kill"), self.control("start", **how)):
            assert answer.status_code == 200, answer.text

    def post(self, function: str, body: Any, kind: str = "Notification") -> requests.Response:
        url = f"{self.url}/runtime/webhooks/eventgrid?functionName={function}"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return requests.post(url, data=raw, headers={"aeg-event-type": kind} if kind else {}, timeout=20)

    def begin(self, orchestrator: str, given: Any = None, id: str | None = None) -> str:
        id = id or f"{orchestrator}-{uuid.uuid4()}"
        event = {"id": id, "subject": "start", "data": {"orchestrator": orchestrator, "input": given}}
        answer = self.post("Raw", [event])
        assert answer.status_code == 202, answer.text
        return id

    def state(self, id: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/api/state/{id}", timeout=20)
        return answer.json() if answer.ok else {"status": answer.status_code}

    def ended(self, id: str) -> dict[str, Any]:
        return until(lambda: self.state(id), lambda found: found["status"] in FINISHED)

    def outcome(self, orchestrator: str, given: Any = None) -> Any:
        found = self.ended(self.begin(orchestrator, given))
        assert found["status"] == "COMPLETED", found
        return json.loads(found["output"])

    def calls(self, activity: str) -> int:
        return [name for name, _ in self.app.calls].count(activity)


def until[T](look: Callable[[], T], holds: Callable[[T], object], patience: float = 20) -> T:
    deadline = time.monotonic() + patience
    while not holds(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@contextmanager
def with_its_settings(running: Small) -> Iterator[Small]:
    """This process has the app's settings too, for tests that ask the stand-ins as the app does."""
    with pytest.MonkeyPatch.context() as here:
        for name, value in (running.sandbox.host.worker.environment or {}).items():
            here.setenv(name, value)
        yield running


@contextmanager
def on_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.02), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def small(**options: Any) -> Iterator[Small]:
    chosen = {"port": 0, "speed": 3600, "app": APPS / "small", "script": "small_app.py"}
    sandbox = Sandbox(Options(**{**chosen, "functions": ("Raw", "Typed"), **options}))
    with on_loop() as loop:
        asyncio.run_coroutine_threadsafe(sandbox.__aenter__(), loop).result(30)
        try:
            yield Small(sandbox, loop)
        finally:
            asyncio.run_coroutine_threadsafe(sandbox.__aexit__(None, None, None), loop).result(30)
