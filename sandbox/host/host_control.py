"""Kills and starts the app's process, while the rest of the sandbox runs on.

`GET` returns the host's state. `POST …/kill` ends host and app by SIGKILL; `{"worker": true}` ends the app
alone, which the host starts again; `{"at": "ACTIVITY name"}` waits until such work is done and its result
is not yet delivered (`ORCHESTRATION name`: until such an instance has ended, between its two writes).
`POST …/start` starts the app again, from the folder `{"checkout": path}` if one is given.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.host.functions_host import RUNNING, STOPPED, FunctionsHost
from sandbox.worker.function import WorkerError

PATH = "/_sandbox/host"


class HostControl:
    """Kills and starts one Functions host, one request at a time."""

    def __init__(self, host: FunctionsHost) -> None:
        self._host = host
        self._turn = asyncio.Lock()

    async def restart(self) -> bool:
        """Start the app again if it runs; False if it does not. Raises WorkerError."""
        async with self._turn:
            if self._host.state == STOPPED:
                return False
            await self._host.restart()
        return True

    async def kill(self) -> None:
        """Kill the app, and the host with it."""
        async with self._turn:
            await self._host.kill()

    async def start(self) -> None:
        """Start the app unless it runs; raises WorkerError."""
        async with self._turn:
            if self._host.state != RUNNING:
                await self._host.start()

    def application(self) -> web.Application:
        """The routes at PATH."""
        application = web.Application()
        application.router.add_get(PATH, self._tell)
        application.router.add_post(f"{PATH}/kill", self._kill)
        application.router.add_post(f"{PATH}/start", self._start)
        return application

    async def _tell(self, _: web.Request) -> web.Response:
        return self._state()

    async def _kill(self, request: web.Request) -> web.Response:
        try:
            wanted = await _body(request, worker=bool, at=str)
            work = re.compile(wanted["at"], re.IGNORECASE) if "at" in wanted else None
        except (ValueError, re.error) as error:
            return _refused(400, str(error))
        async with self._turn:
            if self._host.state != RUNNING and (work or wanted.get("worker")):
                return _refused(409, f"the host is {self._host.state}: start it first")
            if work is not None:
                self._host.kill_when(work)
            elif wanted.get("worker"):
                await self._host.kill_worker()
            else:
                await self._host.kill()
        return self._state(202 if work else 200)

    async def _start(self, request: web.Request) -> web.Response:
        try:
            wanted = await _body(request, checkout=str)
        except ValueError as error:
            return _refused(400, str(error))
        folder = Path(wanted["checkout"]) if "checkout" in wanted else None
        if folder is not None and not folder.is_dir():
            return _refused(400, f"'checkout' is '{folder}', which is not a folder: name the app's folder")
        async with self._turn:
            if self._host.state == RUNNING:
                return _refused(409, "the host is running: kill it first")
            try:
                await self._host.start(folder)
            except WorkerError:
                return self._state(500)
        return self._state()

    def _state(self, status: int = 200) -> web.Response:
        host = self._host
        state = {
            "state": host.state,
            "pid": host.worker.pid,
            "checkout": str(host.worker.folder),
            "functions": sorted(host.worker.functions),
            "error": host.error or None,
        }
        return web.json_response(state, status=status)


async def _body(request: web.Request, **known: type) -> dict[str, Any]:
    """The request's JSON object, empty when there is no body; raises ValueError that says what is wrong."""
    raw = await request.read()
    found = json.loads(raw) if raw.strip() else {}
    if not isinstance(found, dict):
        raise ValueError(f"the body must be an object, not {type(found).__name__}")  # noqa: TRY004
    for name, value in found.items():
        if name not in known:
            raise ValueError(f"unknown property '{name}': give {', '.join(known)}")
        if not isinstance(value, known[name]):
            raise ValueError(f"'{name}' is {json.dumps(value)}: give a {known[name].__name__}")  # noqa: TRY004
    return found


def _refused(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)
